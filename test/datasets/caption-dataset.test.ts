import assert from 'node:assert/strict';
import { CaptionDataset, CaptionRecord, formatBadRow, Split } from '../../lib/datasets';
import { imageNameProblem } from '../../lib/datasets/image-index';

describe('CaptionDataset', () => {
  const record = (id: string, split: Split, ...captions: string[]): CaptionRecord => ({ id, image: `/x/${id}.jpg`, captions, split });
  const dataset = new CaptionDataset('pets', [record('a', 'train', 'one', 'two'), record('b', 'test', 'three'), record('c', 'train', 'four')], {
    badRows: [{ file: 'x.csv', line: 3, reason: 'bad' }],
    missingImages: ['d.jpg'],
  });

  it('selects by split, position, count and condition, keeping order and report', () => {
    assert.deepEqual(dataset.split('train').images(), ['/x/a.jpg', '/x/c.jpg']);
    assert.equal(dataset.split('val').length, 0);
    assert.deepEqual(dataset.subset([2, 0]).records.map((one) => one.id), ['c', 'a']);
    assert.deepEqual(dataset.take(2).captions(), ['one', 'two', 'three']);
    assert.equal(dataset.take(9).length, 3);
    assert.deepEqual(dataset.where((one) => one.captions.length > 1).images(), ['/x/a.jpg']);
    assert.deepEqual([...dataset].length, 3);
    assert.equal(dataset.split('train').report.missingImages[0], 'd.jpg');
  });

  it('refuses positions and counts that are not there', () => {
    assert.throws(() => dataset.subset([3]), /there is no record 3/);
    assert.throws(() => dataset.take(-1), /take/);
  });

  it('refuses records with one id or no captions', () => {
    assert.throws(() => new CaptionDataset('x', [record('a', 'train', 'x'), record('a', 'val', 'y')]), /two records have the id 'a'/);
    assert.throws(() => new CaptionDataset('x', [record('a', 'train')]), /'a' has no caption/);
  });

  it('joins data sets and their reports', () => {
    const both = CaptionDataset.concat('both', [dataset, new CaptionDataset('more', [record('z', 'val', 'nine')], { unassigned: ['u.jpg'] })]);
    assert.deepEqual(both.counts, { train: 2, val: 1, test: 1 });
    assert.deepEqual([both.report.badRows.length, both.report.unassigned], [1, ['u.jpg']]);
  });

  it('describes itself', () => {
    assert.match(dataset.describe(), /pets: 3 pictures \(train 2, val 0, test 1\), 4 captions\n1 rows? left out:\n {2}x\.csv:3: bad\n1 pictures? named but not on disk: d\.jpg/);
    assert.equal(formatBadRow({ file: 'x.json', line: 0, reason: 'bad' }), 'x.json: bad');
  });
});

describe('imageNameProblem', () => {
  it('lets relative names below the folder pass, and nothing else', () => {
    for (const name of ['a.jpg', 'b/c.jpg', 'b/../c.jpg', 'ü 1.png', '..a.jpg']) assert.equal(imageNameProblem(name), undefined, name);
    for (const name of ['', ' ', '..', '../a.jpg', 'b/../../a.jpg', '/a.jpg', 'C:/a.jpg', 'b\\a.jpg', 'a\0.jpg', '.', 'b/']) {
      assert.ok(imageNameProblem(name), JSON.stringify(name));
    }
  });
});
