import assert from 'node:assert/strict';
import { join } from 'node:path';
import { loadImageFolder } from '../../lib/datasets';
import { temporaryFolder } from './temporary-folder';

describe('loadImageFolder', () => {
  const folder = temporaryFolder();
  const pictures = (...names: string[]) => names.forEach((name) => folder.write(`val/${name}`));
  const load = () => loadImageFolder(join(folder.path, 'val'));

  it('takes the class from the file name and its name from id2label.json', () => {
    folder.write('id2label.json', { '10': 'sheep', '2': 'girl', '0': 'bicycle' });
    pictures('10_3.png', '2_12.png', '2_9.png', '0_450.jpg');
    const dataset = load();
    assert.deepEqual(dataset.classes, ['bicycle', 'girl', 'sheep']);
    assert.deepEqual(dataset.classIds, [0, 2, 10]);
    assert.deepEqual(dataset.records.map(({ id, label }) => [id, label]), [['0_450.jpg', 0], ['2_9.png', 1], ['2_12.png', 1], ['10_3.png', 2]]);
    assert.equal(dataset.records[0].image, join(folder.path, 'val', '0_450.jpg'));
    assert.deepEqual(dataset.labels(), [0, 1, 1, 2]);
    assert.deepEqual(dataset.take(1).images(), [join(folder.path, 'val', '0_450.jpg')]);
  });

  it('reports pictures without a class', () => {
    folder.write('val/id2label.json', { '1': 'cat' });
    pictures('1_1.png', '7_1.png', 'cat.png');
    const { length, report } = load();
    assert.equal(length, 1);
    assert.deepEqual(report.badRows.map((row) => row.file), [join(folder.path, 'val', '7_1.png'), join(folder.path, 'val', 'cat.png')]);
  });

  it('says what is missing or wrong', () => {
    assert.throws(load, /no such folder/);
    pictures('1_1.png');
    assert.throws(load, /id2label\.json is missing/);
    folder.write('id2label.json', { cat: 1 });
    assert.throws(load, /id2label\.json: expected/);
    folder.write('id2label.json', { '1': 'a', '01': 'b' });
    assert.throws(load, /same class id/);
    folder.write('id2label.json', { '1': 'cat' });
    assert.throws(() => loadImageFolder(folder.path), /found no pictures/);
  });
});
