import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findFlickr8k, loadFlickr8k } from '../../lib/datasets';
import { temporaryFolder } from './temporary-folder';

describe('loadFlickr8k', () => {
  const folder = temporaryFolder();
  const splits = (train: string, dev: string, test: string, place = '') => {
    folder.write(`${place}Flickr_8k.trainImages.txt`, train);
    folder.write(`${place}Flickr_8k.devImages.txt`, dev);
    folder.write(`${place}Flickr_8k.testImages.txt`, test);
  };
  const photographs = (...names: string[]) => names.forEach((name) => folder.write(`images/${name}`));

  it('reads the published text files: order of the split files, captions in order of their number', () => {
    folder.write('Flickr8k.token.txt', 'a.jpg#1\tTwo .\na.jpg#0\tOne .\nb.jpg#0\tA "cat" , sitting\nc.jpg#0\tFish\n');
    splits('b.jpg\r\n', 'a.jpg\n', 'c.jpg');
    photographs('a.jpg', 'b.jpg', 'c.jpg');
    assert.deepEqual(loadFlickr8k(folder.path).records, [
      { id: 'b.jpg', image: join(folder.path, 'images', 'b.jpg'), captions: ['A "cat" , sitting'], split: 'train' },
      { id: 'a.jpg', image: join(folder.path, 'images', 'a.jpg'), captions: ['One .', 'Two .'], split: 'val' },
      { id: 'c.jpg', image: join(folder.path, 'images', 'c.jpg'), captions: ['Fish'], split: 'test' },
    ]);
  });

  it('reads the CSV, text files in a folder of their own, and photographs in the published folder', () => {
    folder.write('captions.txt', 'image,caption\na.jpg,"A dog , running"\nb.jpg,A cat\nc.jpg,Fish\n');
    splits('a.jpg', 'b.jpg', 'c.jpg', 'Flickr8k_text/');
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) folder.write(`Flickr8k_Dataset/Flicker8k_Dataset/${name}`);
    folder.write('Flickr8k_Dataset/.keep', '');
    const images = join(folder.path, 'Flicker8k_Dataset');
    mkdirSync(images);
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) folder.write(`Flicker8k_Dataset/${name}`);
    assert.deepEqual(loadFlickr8k(folder.path).captions(), ['A dog , running', 'A cat', 'Fish']);
  });

  it("reads Karpathy's JSON when it is all there is, or when asked", () => {
    folder.write('dataset_flickr8k.json', { images: [{ filename: 'a.jpg', split: 'test', sentences: [{ raw: 'A dog .' }] }] });
    photographs('a.jpg');
    const [record] = loadFlickr8k(folder.path).records;
    assert.deepEqual([record.id, record.split, record.captions], ['a.jpg', 'test', ['A dog .']]);
    assert.equal(loadFlickr8k(folder.path, { source: 'karpathy' }).length, 1);
    assert.throws(() => loadFlickr8k(folder.path, { source: 'token' }), /expected Flickr8k\.token\.txt/);
  });

  it('reports bad rows with file and line; lists missing, unassigned and undescribed photographs', () => {
    const token = folder.write(
      'Flickr8k.token.txt',
      'a.jpg#0\tFine\nno tab here\na.jpg#x\tWrong\n\na.jpg#1\t \na.jpg#0\tAgain\n../b.jpg#0\tOut\ngone.jpg.1#0\tGone\nspare.jpg#0\tSpare\n',
    );
    splits('a.jpg\nmute.jpg\n', 'a.jpg\nlost.jpg\n', '..\n');
    photographs('a.jpg', 'spare.jpg', 'mute.jpg');
    const { records, report } = loadFlickr8k(folder.path);
    assert.deepEqual(records.map((record) => [record.id, record.split, record.captions]), [['a.jpg', 'train', ['Fine']]]);
    assert.deepEqual(
      report.badRows.map(({ file, line }) => [file, line]),
      [
        [token, 2],
        [token, 3],
        [token, 5],
        [token, 6],
        [token, 7],
        [join(folder.path, 'Flickr_8k.devImages.txt'), 1],
        [join(folder.path, 'Flickr_8k.testImages.txt'), 1],
      ],
    );
    assert.match(report.badRows[5].reason, /a\.jpg is already in train/);
    assert.deepEqual(report.missingImages, ['gone.jpg.1', 'lost.jpg']);
    assert.deepEqual(report.unassigned, ['spare.jpg']);
    assert.deepEqual(report.uncaptioned, ['mute.jpg']);
  });

  it('wants a split, or makes a seeded one when asked', () => {
    const names = Array.from({ length: 20 }, (_, i) => `${i}.jpg`);
    folder.write('captions.txt', `image,caption\n${names.map((name) => `${name},A dog`).join('\n')}\n`);
    photographs(...names);
    assert.throws(() => loadFlickr8k(folder.path), /Flickr_8k\.trainImages\.txt, Flickr_8k\.devImages\.txt, Flickr_8k\.testImages\.txt are missing.*randomSplit/);
    const random = (seed: number) => loadFlickr8k(folder.path, { randomSplit: { val: 3, test: 5, seed } });
    assert.deepEqual(random(1).counts, { train: 12, val: 3, test: 5 });
    assert.deepEqual(random(1).records, random(1).records);
    assert.notDeepEqual(random(1).split('test').images(), random(2).split('test').images());
    assert.deepEqual(random(1).images().sort(), names.map((name) => join(folder.path, 'images', name)).sort());
    assert.throws(() => loadFlickr8k(folder.path, { randomSplit: { val: 10, test: 10, seed: 1 } }), /leaves none for training/);
  });

  it('says what is not in the folder', () => {
    assert.throws(() => loadFlickr8k(folder.path), /holds no photographs: expected one of the folders images/);
    mkdirSync(join(folder.path, 'images'));
    assert.throws(() => loadFlickr8k(folder.path), /holds no captions: expected Flickr8k\.token\.txt, captions\.txt or/);
  });
});

describe('findFlickr8k', () => {
  const folder = temporaryFolder();
  let before: string | undefined;
  beforeEach(() => (before = process.env.FLICKR8K_DIR));
  afterEach(() => {
    if (before === undefined) delete process.env.FLICKR8K_DIR;
    else process.env.FLICKR8K_DIR = before;
  });

  it('goes by the argument, then by FLICKR8K_DIR', () => {
    process.env.FLICKR8K_DIR = folder.path;
    assert.equal(findFlickr8k(), folder.path);
    mkdirSync(join(folder.path, 'other'));
    assert.equal(findFlickr8k(join(folder.path, 'other')), join(folder.path, 'other'));
  });

  it('says what to download and where to put it', () => {
    process.env.FLICKR8K_DIR = join(folder.path, 'nowhere');
    assert.throws(() => findFlickr8k(), /FLICKR8K_DIR is '.*nowhere', and there is no such folder.*Download.*Flickr8k_text\.zip/s);
    assert.throws(() => findFlickr8k(join(folder.path, 'gone')), /there is no folder .*gone/);
  });
});

describe('loadFlickr8k on the real data set', () => {
  const real = [process.env.FLICKR8K_DIR, 'data/flickr8k', '../shared/flickr8k'].find((path) => path && existsSync(path));
  const test = real ? it : it.skip;
  for (const source of ['token', 'csv'] as const) {
    test(`finds the published counts in the ${source}${real ? '' : ' (skipped: set FLICKR8K_DIR)'}`, () => {
      const dataset = loadFlickr8k(real!, { source });
      assert.deepEqual(dataset.counts, { train: 6000, val: 1000, test: 1000 });
      assert.equal(dataset.captions().length, 40_000);
      assert.deepEqual(dataset.report.badRows, []);
      assert.equal(dataset.report.unassigned.length, 91);
      // The token file names a photograph that was never published.
      const missing = ['2258277193_586949ec62.jpg.1', '2258277193_586949ec62.jpg'];
      assert.deepEqual(dataset.report.missingImages, source === 'token' ? missing : []);
      assert.ok(dataset.records[0].image.startsWith(resolve(real!)));
    });
  }
});
