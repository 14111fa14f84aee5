import assert from 'node:assert/strict';
import type { CaptionRecord, SceneObject } from '../../lib/datasets';
import { grounding, groundingOf, groundingRows, type WordMaps } from '../../lib/explain';
import { closeTo } from '../close-to';

const object = (name: string, ...box: [number, number, number, number]): SceneObject => ({ name, box, attributes: {} });
/** A picture 40 wide and 20 high. */
const picture = (id: string, ...objects: SceneObject[]): CaptionRecord => ({ id, image: `${id}.png`, captions: ['-'], split: 'test', objects, size: [40, 20] });
/** Two rows of four cells of 10×10. */
const explained = (maps: Record<string, number[]>): WordMaps => ({ words: Object.keys(maps), maps: Object.values(maps).map((map) => Float32Array.from(map)), grid: [2, 4] });
const at = (...cells: number[]): number[] => Array.from({ length: 8 }, (_, cell) => Number(cells.includes(cell)));
const uniform = Array.from({ length: 8 }, () => 0.125);

describe('grounding', () => {
  // The ball covers cell 0 and a quarter of cell 1 (columns 10 to 12.5), the cats half of cell 7 and, overlapping, its other half in part.
  const records = [
    picture('a', object('ball', 0, 0, 12.5, 10), object('cat', 30, 10, 5, 10), object('cat', 32, 10, 5.5, 10)),
    picture('b', object('ball', 20, 10, 20, 10)),
  ];

  it('is the share of the map inside the boxes of the named object, by parts of cells; boxes that overlap count once', () => {
    const { words, all, byName, withoutMap, notThere } = grounding(records, [
      explained({ a: at(0), ball: [2, 2, 0, 0, 0, 0, 0, 0], two: at(3), kittens: [0, 0, 0, 1, 0, 0, 0, 3] }),
      explained({ balls: [0, 0, 0, 0, 0, 1, 0, 1], star: at(1), ball: at() }),
    ]);
    assert.deepEqual(words.map(({ id, word, name }) => [id, word, name]), [['a', 'ball', 'ball'], ['a', 'kittens', 'cat'], ['b', 'balls', 'ball']]);
    closeTo(words.map(({ mass }) => mass), [(1 + 0.25) / 2, 0.75 * 0.75, 0.5], 1e-6, 'mass');
    closeTo(words.map(({ area }) => area), [1.25 / 8, 0.75 / 8, 2 / 8], 1e-6, 'area');
    // b's ball (cells 6 and 7) for a's words; the mean of a's ball and cats for b's.
    closeTo(words.map(({ shuffled }) => shuffled), [0, 0.75, (0.25 * 0 + 0.5 * 0.75) / 2], 1e-6, 'shuffled');
    assert.deepEqual([withoutMap, notThere], [1, 1]);
    assert.deepEqual(byName.map(({ name, count }) => [name, count]), [['ball', 2], ['cat', 1]]);
    closeTo([all.mass.value, all.gain.value, byName[0].mass.value], [(0.625 + 0.5625 + 0.5) / 3, (0.625 + 0.5625 + 0.5 - 0.75 - 0.1875) / 3, (0.625 + 0.5) / 2], 1e-6);
  });

  it('finds no gain in maps that do not look: a uniform map has as much as the area, the middle as much as others\' boxes', () => {
    const many = Array.from({ length: 60 }, (_, i) => picture(`p${i}`, object('cat', i % 4 * 10, 0, 10, 20)));
    const even = grounding(many, many.map(() => explained({ cat: uniform })));
    closeTo([even.all.mass.value, even.all.mass.low, even.all.mass.high, even.all.area], [0.25, 0.25, 0.25, 0.25], 1e-6);
    const middle = grounding(many, many.map(() => explained({ cat: at(1, 2, 5, 6) })));
    closeTo([middle.all.mass.value, middle.all.shuffled], [0.25, 0.25], 0.01);
    assert.ok(middle.all.gain.low < 0 && middle.all.gain.high > 0, JSON.stringify(middle.all.gain));
    const looks = grounding(many, many.map((_, i) => explained({ cat: at(i % 4) })));
    closeTo([looks.all.mass.value, looks.all.shuffled, looks.all.gain.low], [1, 14 / 59, 1 - 14 / 59], 0.03);
  });

  it('gives the same interval for the same seed, wider with fewer pictures', () => {
    const of = (count: number, seed?: number) => {
      const some = Array.from({ length: count }, (_, i) => picture(`p${i}`, object('cat', 0, 0, 10, 20)));
      return grounding(some, some.map((_, i) => explained({ cat: at(i % 2, 4 + i % 3) })), { seed }).all.mass;
    };
    assert.deepEqual(of(20), of(20));
    assert.notDeepEqual(of(20), of(20, 7));
    assert.ok(of(12).high - of(12).low > of(120).high - of(120).low, 'narrower with ten times the pictures');
  });

  it('makes one row an object and one for all', () => {
    const rows = groundingRows(grounding(records, [explained({ ball: at(0) }), explained({ ball: at(7) })]));
    assert.deepEqual(rows.map(({ object: name, words, mass }) => [name, words, mass]), [['ball', 2, 1], ['all', 2, 1]]);
    assert.equal(rows[0]['chance (area)'], (1.25 + 2) / 16);
  });

  it('tells the words of one picture', () => {
    const measured = grounding(records, [explained({ ball: at(0), cats: at(6, 7) }), explained({ red: at(7) })]);
    const { mass, text } = groundingOf(measured, 'a')!;
    closeTo([mass], [(1 + 0.375) / 2], 1e-6);
    assert.equal(text, 'ball 100 % (chance 16 %), cats 38 % (chance 9 %)');
    assert.equal(groundingOf(measured, 'b'), undefined);
  });

  it('takes another way to name objects', () => {
    const { words } = grounding(records, [explained({ it: at(0) }), explained({ it: at(7) })], { nameOf: (word) => (word === 'it' ? 'ball' : undefined) });
    assert.deepEqual(words.map(({ mass }) => mass), [1, 1]);
  });

  it('refuses what it cannot measure', () => {
    const one = explained({ ball: at(0) });
    assert.throws(() => grounding(records, [one]), /1 captions' maps for 2 pictures/);
    assert.throws(() => grounding([{ ...records[0], objects: undefined }], [one]), /a tells no objects: .*loadScenes/);
    assert.throws(() => grounding([records[0]], [explained({ red: at(0) })]), /No word of the captions names an object/);
    assert.throws(() => grounding([records[0]], [{ ...one, grid: [3, 3] }]), /"ball" has 8 weights, its grid 3×3/);
    for (const bad of [-1, NaN, Infinity]) assert.throws(() => grounding([records[0]], [explained({ ball: [bad, 1, 1, 1, 1, 1, 1, 1] })]), /"ball" holds .*: expected weights of 0 or more/);
  });
});
