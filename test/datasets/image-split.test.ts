import assert from 'node:assert/strict';
import { checkImagesDisjoint, splitByImage, splitOfImage, SPLITS } from '../../lib/datasets';

const imageOf = ({ image }: { image: string }): string => image;
const rows = (count: number, from = 0): { image: string; text: string }[] =>
  Array.from({ length: count * 4 }, (_, i) => ({ image: `${from + Math.floor(i / 4)}.jpg`, text: String(i) }));

describe('split by image', () => {
  it('keeps each picture\'s rows together, in order, in shares near 70, 10 and 20 %', () => {
    const parts = splitByImage(rows(3000), imageOf);
    assert.deepEqual(SPLITS.flatMap((split) => parts[split]).sort((a, b) => Number(a.text) - Number(b.text)), rows(3000));
    for (const [split, share] of [['train', 0.7], ['val', 0.1], ['test', 0.2]] as const) {
      const texts = parts[split].map(({ text }) => Number(text));
      assert.ok(Math.abs(texts.length / 12_000 - share) < 0.03, `${split}: ${texts.length}`);
      assert.ok(texts.every((text, i) => i === 0 || text > texts[i - 1]));
      assert.equal(texts.length % 4, 0);
    }
  });

  it('moves no picture when rows are added before, after or in another order', () => {
    const before = splitByImage(rows(100, 50), imageOf), after = splitByImage([...rows(400)].reverse(), imageOf);
    for (const split of SPLITS) {
      const images = new Set(after[split].map(imageOf));
      assert.ok(before[split].every(({ image }) => images.has(image)));
    }
    assert.deepEqual(['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg'].map((name) => splitOfImage(name)),
      ['test', 'train', 'test', 'train', 'val', 'train'], 'on every machine');
  });

  it('depends on the seed and the shares', () => {
    const splits = (options: object) => rows(200).map(({ image }) => splitOfImage(image, options)).join();
    assert.notEqual(splits({ seed: 1 }), splits({ seed: 2 }));
    assert.equal(new Set(splits({ shares: { train: 0, val: 1, test: 0 } }).split(',')).size, 1);
    assert.deepEqual(splitByImage(rows(20), imageOf, { shares: { train: 3, val: 1, test: 0 } }).test, []);
    assert.throws(() => splits({ shares: { train: -1, val: 1, test: 1 } }), /train -1, val 1, test 1: expected numbers from 0 on/);
  });

  it('says when there are too few pictures', () => {
    assert.throws(() => splitByImage(rows(1), imageOf), /No picture of 1 falls into the (train|val|test) part/);
  });
});

describe('checkImagesDisjoint', () => {
  it('names a picture that is in two parts', () => {
    checkImagesDisjoint({ train: rows(2), test: rows(2, 2) }, imageOf);
    const mixed = { train: rows(3), val: [], test: rows(2, 2) };
    assert.throws(() => checkImagesDisjoint(mixed, imageOf), /The picture 2\.jpg is in both train and test/);
  });
});
