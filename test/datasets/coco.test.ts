import assert from 'node:assert/strict';
import { join } from 'node:path';
import { loadCoco, loadCocoCaptions, loadKarpathy } from '../../lib/datasets';
import { temporaryFolder } from './temporary-folder';

describe('loadCocoCaptions', () => {
  const folder = temporaryFolder();
  const images = () => join(folder.path, 'val2014');

  it('joins images and annotations by id', () => {
    const file = folder.write('captions_val2014.json', {
      images: [{ id: 9, file_name: 'b.jpg' }, { id: 4, file_name: 'a.jpg' }],
      annotations: [
        { image_id: 4, id: 1, caption: 'A dog.\n' },
        { image_id: 9, id: 2, caption: 'A cat.' },
        { image_id: 4, id: 3, caption: 'One dog.' },
      ],
    });
    for (const name of ['a.jpg', 'b.jpg']) folder.write(`val2014/${name}`);
    const dataset = loadCocoCaptions(file, images());
    assert.deepEqual(dataset.records, [
      { id: '9', image: join(images(), 'b.jpg'), captions: ['A cat.'], split: 'val' },
      { id: '4', image: join(images(), 'a.jpg'), captions: ['A dog.', 'One dog.'], split: 'val' },
    ]);
    assert.equal(loadCocoCaptions(file, images(), { split: 'test' }).counts.test, 2);
  });

  it('reports bad entries by their place, and missing and undescribed pictures', () => {
    const file = folder.write('captions.json', {
      images: [{ id: 1, file_name: 'a.jpg' }, { id: 1, file_name: 'a.jpg' }, { id: 2 }, { id: 3, file_name: '../x.jpg' }, { id: 4, file_name: 'gone.jpg' }, { id: 5, file_name: 'mute.jpg' }],
      annotations: [{ image_id: 1, caption: 'Fine.' }, { image_id: 1, caption: '  ' }, { image_id: 7, caption: 'Whose?' }, { image_id: 1 }, 'text'],
    });
    for (const name of ['a.jpg', 'mute.jpg']) folder.write(`val2014/${name}`);
    const { records, report } = loadCocoCaptions(file, images());
    assert.deepEqual(records.map((record) => record.captions), [['Fine.']]);
    assert.deepEqual(
      report.badRows.map((row) => row.reason.split(':')[0]),
      ['images[1]', 'images[2]', 'images[3]', 'annotations[1]', 'annotations[2]', 'annotations[3]', 'annotations[4]'],
    );
    assert.deepEqual(report.missingImages, ['gone.jpg']);
    assert.deepEqual(report.uncaptioned, ['mute.jpg']);
  });

  it('says when a file is not of this form or not JSON', () => {
    assert.throws(() => loadCocoCaptions(folder.write('x.json', { images: 3 }), images()), /x\.json: expected COCO's form/);
    assert.throws(() => loadCocoCaptions(folder.write('y.json', '{"images": [\n1,'), images()), /y\.json.*not JSON/);
    assert.throws(() => loadCocoCaptions(join(folder.path, 'z.json'), images()), /z\.json: there is no such file/);
  });
});

describe('loadCoco', () => {
  const folder = temporaryFolder();

  it('reads train and val from the published layout', () => {
    for (const [index, split] of ['train', 'val'].entries()) {
      folder.write(`annotations/captions_${split}2017.json`, {
        images: [{ id: index, file_name: 'a.jpg' }],
        annotations: [{ image_id: index, caption: split }],
      });
    }
    folder.write('train2017/a.jpg');
    folder.write('images/val2017/a.jpg');
    const dataset = loadCoco(folder.path, 2017);
    assert.deepEqual(dataset.counts, { train: 1, val: 1, test: 0 });
    assert.deepEqual(dataset.captions(), ['train', 'val']);
  });

  it('says what to download', () => {
    assert.throws(() => loadCoco(folder.path, 2014), /captions_train2014\.json is missing: unpack annotations_trainval2014\.zip/);
  });
});

describe('loadKarpathy', () => {
  const folder = temporaryFolder();
  const sentence = (raw: string) => ({ raw, tokens: raw.split(' ') });

  it('reads COCO: ids, folders, restval in train or left out', () => {
    const file = folder.write('dataset_coco.json', {
      dataset: 'coco',
      images: [
        { filepath: 'val2014', filename: 'a.jpg', split: 'restval', cocoid: 391895, sentences: [sentence('A man.')] },
        { filepath: 'train2014', filename: 'b.jpg', split: 'test', cocoid: 7, sentences: [sentence('A dog.'), sentence('Dog.')] },
        { filepath: 'val2014', filename: 'gone.jpg', split: 'val', cocoid: 8, sentences: [sentence('Gone.')] },
      ],
    });
    folder.write('val2014/a.jpg');
    folder.write('train2014/b.jpg');
    const dataset = loadKarpathy(file, folder.path);
    assert.equal(dataset.name, 'coco');
    assert.deepEqual(dataset.records.map(({ id, split, captions }) => [id, split, captions.length]), [['391895', 'train', 1], ['7', 'test', 2]]);
    assert.deepEqual(dataset.report.missingImages, ['val2014/gone.jpg']);
    assert.deepEqual(loadKarpathy(file, folder.path, { restvalTrains: false }).counts, { train: 0, val: 0, test: 1 });
  });

  it('reports bad entries by their place', () => {
    const file = folder.write('dataset_flickr8k.json', {
      images: [
        { filename: 'a.jpg', split: 'train', sentences: [sentence('Fine.')] },
        { filename: 'a.jpg', split: 'train', sentences: [sentence('Again.')] },
        { filename: 'a.jpg', split: 'dev', sentences: [] },
        { filename: '../b.jpg', split: 'val', sentences: [sentence('Out.')] },
        { filename: 'c.jpg', split: 'val', sentences: [] },
      ],
    });
    folder.write('images/a.jpg');
    const { records, report } = loadKarpathy(file, join(folder.path, 'images'));
    assert.equal(records.length, 1);
    assert.deepEqual(report.badRows.map((row) => row.reason.slice(0, 9)), ['images[1]', 'images[2]', 'images[3]']);
    assert.deepEqual(report.uncaptioned, ['c.jpg']);
    assert.throws(() => loadKarpathy(folder.write('x.json', []), folder.path), /Karpathy's form/);
  });
});
