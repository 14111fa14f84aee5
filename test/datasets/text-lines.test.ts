import assert from 'node:assert/strict';
import { loadCocoCaptions, loadCourseDataset } from '../../lib/datasets';
import { readJson, readText } from '../../lib/datasets/text-lines';
import { temporaryFolder } from './temporary-folder';

describe('readText', () => {
  const folder = temporaryFolder();

  it('reads UTF-8 with and without a byte order mark', () => {
    assert.equal(readText(folder.write('a.txt', '\ufeffcafé 犬')), 'café 犬');
    assert.equal(readText(folder.write('b.txt', '')), '');
  });

  const bad: [string, Buffer, RegExp][] = [
    ['Latin-1, with the line', Buffer.from('image,caption\na.jpg,A dog.\nb.jpg,A café.\n', 'latin1'),
      /x\.csv:3: this is not UTF-8: 'b\.jpg,A café\.' \(as Latin-1\); save it as UTF-8/],
    ['UTF-16', Buffer.from('\ufeffimage,caption\n', 'utf16le'), /x\.csv: this is UTF-16, not UTF-8: save it as UTF-8/],
    ['a lone byte', Buffer.from([0xff]), /x\.csv:1: this is not UTF-8/],
    ['a character cut off at the end', Buffer.from('a\né').subarray(0, 3), /x\.csv:2: this is not UTF-8/],
  ];
  for (const [what, bytes, message] of bad) {
    it(`refuses ${what}`, () => assert.throws(() => readText(folder.write('x.csv', bytes)), message));
  }

  it('says where JSON breaks off', () => {
    assert.throws(() => readJson(folder.write('x.json', '{"a": [1,\n2,')), /x\.json.*this is not JSON/);
    assert.throws(() => loadCocoCaptions(folder.write('y.json', Buffer.from('{"images":[],"annotations":["é"]}', 'latin1')), folder.path),
      /y\.json:1: this is not UTF-8/);
  });

  it('leaves out rows of a table that hold a NUL, with their line', async () => {
    folder.write('train.csv', 'image,caption\na.jpg,A dog.\nb.jpg,A \0 cat.\n"c.jpg","A\n\0"\nd.jpg,A bird.\n');
    for (const name of ['a', 'b', 'c', 'd']) folder.write(`train/${name}.jpg`);
    const { records, report } = await loadCourseDataset(folder.path);
    assert.deepEqual(records.map(({ captions }) => captions), [['A dog.'], ['A bird.']]);
    assert.deepEqual(report.badRows.map(({ line, reason }) => [line, reason]), [[3, 'the row holds a NUL character'], [4,
      'the row holds a NUL character']]);
  });
});
