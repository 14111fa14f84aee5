import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadCourseDataset } from '../../lib/datasets';
import { PIXEL, temporaryFolder } from './temporary-folder';
import { zipOf } from './zip-writer';

describe('loadCourseDataset', () => {
  const folder = temporaryFolder();

  it('reads train, val and test from CSV files and image folders', async () => {
    folder.write('train.csv', 'image_id,filename,caption\n1,a.jpg,A dog.\n1,a.jpg,"A dog, running."\n2,b.jpg,A cat.\n');
    folder.write('val.csv', 'filename,caption\na.jpg,A bird.\n');
    folder.write('test.csv', 'filename,caption\nc.jpg,A fish.\n');
    for (const name of ['train/a.jpg', 'train/b.jpg', 'val/a.jpg', 'test/c.jpg']) folder.write(name);
    const dataset = await loadCourseDataset(folder.path, { name: 'course' });
    assert.deepEqual(dataset.records, [
      { id: 'train/a.jpg', image: join(folder.path, 'train', 'a.jpg'), captions: ['A dog.', 'A dog, running.'], split: 'train' },
      { id: 'train/b.jpg', image: join(folder.path, 'train', 'b.jpg'), captions: ['A cat.'], split: 'train' },
      { id: 'val/a.jpg', image: join(folder.path, 'val', 'a.jpg'), captions: ['A bird.'], split: 'val' },
      { id: 'test/c.jpg', image: join(folder.path, 'test', 'c.jpg'), captions: ['A fish.'], split: 'test' },
    ]);
    assert.deepEqual(dataset.report.badRows, []);
  });

  for (const [where, image] of [['one folder', 'images/a.jpg'], ['images/train', 'images/train/a.jpg'], ['train_images', 'train_images/a.jpg'], ['beside the CSV', 'a.jpg']]) {
    it(`finds pictures in ${where}`, async () => {
      folder.write('train.csv', 'image,caption\na.jpg,A dog.\n');
      folder.write(image);
      const [record] = (await loadCourseDataset(folder.path)).records;
      assert.equal(record.image, join(folder.path, image));
    });
  }

  it('takes paths in the CSV, other names of splits, and a folder around everything', async () => {
    folder.write('data/training.csv', 'Image Path,Caption\nimages/a.jpg,A dog.\n');
    folder.write('data/validation.csv', 'image_name,text\na.jpg,A dog.\n');
    folder.write('data/images/a.jpg');
    assert.deepEqual((await loadCourseDataset(folder.path)).counts, { train: 1, val: 1, test: 0 });
  });

  it('takes several caption columns and JSON lists', async () => {
    folder.write('train.csv', 'file,caption_1,caption_2\na.jpg,One.,Two.\nb.jpg,One.,\n');
    folder.write('test.csv', 'file,captions\na.jpg,"[""One."", ""Two, and three.""]"\nb.jpg,"[\'Not\', \'JSON\']"\nc.jpg,[sic] a dog\n');
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) folder.write(`images/${name}`);
    const dataset = await loadCourseDataset(folder.path);
    assert.deepEqual(dataset.split('train').records.map((record) => record.captions), [['One.', 'Two.'], ['One.']]);
    assert.deepEqual(dataset.split('test').records.map((record) => record.captions), [['One.', 'Two, and three.'], ['[sic] a dog']]);
    assert.match(dataset.report.badRows[0].reason, /must be JSON/);
    assert.equal(dataset.report.badRows[0].line, 3);
  });

  it('reports bad rows with file and line, and missing pictures', async () => {
    const file = folder.write(
      'train.csv',
      [
        'image,caption', // 1
        'a.jpg,Fine.', // 2
        'a.jpg', // 3
        'a.jpg,one,two', // 4
        'a.jpg,', // 5
        ',A dog.', // 6
        '../a.jpg,Outside.', // 7
        '/etc/passwd,Outside.', // 8
        '', // 9
        'a.jpg,"Over', // 10
        'two lines"', // 11
        'a.jpg,no "quotes" here', // 12
        'gone.jpg,Nobody knows.', // 13
        'a.jpg,Fine too.', // 14
      ].join('\r\n'),
    );
    folder.write('images/a.jpg');
    const { records, report } = await loadCourseDataset(folder.path);
    assert.deepEqual(records.map((record) => record.captions.map((caption) => caption.replace(/\r/g, ''))), [['Fine.', 'Over\ntwo lines', 'no "quotes" here', 'Fine too.']]);
    assert.deepEqual(report.badRows.map((row) => row.line), [3, 4, 5, 6, 7, 8]);
    assert.ok(report.badRows.every((row) => row.file === file));
    assert.match(report.badRows[1].reason, /3 fields where the header has 2.*double quotes/);
    assert.deepEqual(report.missingImages, ['train/gone.jpg']);
  });

  it('takes quotes inside a field as they are, and reports one that is never closed', async () => {
    folder.write('train.csv', 'image,caption\na.jpg,"A" dog\na.jpg,Fine.\na.jpg,"Never closed\na.jpg,Lost.\n');
    folder.write('images/a.jpg');
    const { records, report } = await loadCourseDataset(folder.path);
    assert.deepEqual(records[0].captions, ['"A" dog', 'Fine.']);
    assert.deepEqual(report.badRows.map((row) => row.line), [4]);
    assert.match(report.badRows[0].reason, /never closed; the rest of the file was not read/);
    folder.write('train.csv', `image,caption\na.jpg,Fine.\na.jpg,"Long${'\nand longer'.repeat(10_000)}\n`);
    const { report: second } = await loadCourseDataset(folder.path);
    assert.deepEqual(second.badRows.map((row) => [row.line, /not closed within/.test(row.reason)]), [[3, true]]);
  });

  it('numbers rows right after quoted line breaks', async () => {
    folder.write('train.csv', 'image,caption\na.jpg,"One\n\n\nfour"\na.jpg,"x\ny",z\na.jpg,\n');
    folder.write('images/a.jpg');
    const { report } = await loadCourseDataset(folder.path);
    assert.deepEqual(report.badRows.map((row) => row.line), [6, 8]);
  });

  it('reads other delimiters and a byte order mark', async () => {
    folder.write('train.csv', '\uFEFFimage;caption\na.jpg;A dog, running.\n');
    folder.write('images/a.jpg');
    assert.deepEqual((await loadCourseDataset(folder.path)).captions(), ['A dog, running.']);
  });

  it('says what is wrong with a header, a folder, a path', async () => {
    folder.write('train.csv', 'photo_url,words\nx,y\n');
    await assert.rejects(loadCourseDataset(folder.path), /train\.csv:1: the header is 'photo_url,words'; expected a column for the picture \(filename/);
    folder.write('train.csv', '');
    await assert.rejects(loadCourseDataset(folder.path), /train\.csv: the file has no header/);
    mkdirSync(join(folder.path, 'empty'));
    await assert.rejects(loadCourseDataset(join(folder.path, 'empty')), /found no captions; expected train\.csv or training\.csv/);
    await assert.rejects(loadCourseDataset(join(folder.path, 'nowhere')), /no such folder or zip/);
    await assert.rejects(loadCourseDataset(folder.write('a.tar', 'x')), /a folder or a \.zip/);
  });

  it('reads the same from a zip archive', async () => {
    const archive = folder.write(
      'custom.zip',
      zipOf([
        { name: 'custom/train.csv', data: 'filename,caption\na.png,A dog.\n' },
        { name: 'custom/train/a.png', data: PIXEL },
      ]),
    );
    const dataset = await loadCourseDataset(archive, { cache: join(folder.path, 'cache') });
    assert.equal(dataset.name, 'custom');
    assert.deepEqual(dataset.records.map(({ id, captions }) => [id, captions]), [['train/a.png', ['A dog.']]]);
    assert.ok(dataset.records[0].image.startsWith(join(folder.path, 'cache', readdirSync(join(folder.path, 'cache'))[0])));
  });
});
