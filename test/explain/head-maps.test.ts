import assert from 'node:assert/strict';
import type { Caption } from '../../lib/captioners';
import { headCounts, headMaps, mapSpread, tokenMaps } from '../../lib/explain';
import { closeTo } from '../close-to';

/** Two layers of three heads over a class token and a grid of 1×2; token t's weights there are [t, 100 layer + 10 head, 1]. */
const shape = [2, 3, 3], words = ['a', 'ball', '<end>'];
const values = words.map((_, t) => Float32Array.from([0, 1].flatMap((layer) => [0, 1, 2].flatMap((head) => [t, 100 * layer + 10 * head, 1]))));
const caption: Caption = {
  text: 'a ball', words, tokens: [3, 4, 2], logProbability: -1, score: -1,
  attention: { maps: [], grid: [1, 2], heads: { values, shape } },
};

describe('maps by layer and head', () => {
  it('are the mean over what is not chosen, without the class token', () => {
    assert.deepEqual(headCounts(caption), { layers: 2, heads: 3 });
    for (const [choice, expected] of [[{}, 60], [{ layer: 1 }, 110], [{ head: 2 }, 70], [{ layer: 0, head: 1 }, 10], [{ layer: 1, head: 0 }, 100]] as const) {
      const maps = tokenMaps(caption, choice);
      assert.equal(maps.length, 3);
      for (const map of maps) closeTo(map, [expected, 1], 1e-5);
    }
    const { words: whole, maps, grid } = headMaps(caption, { layer: 1, head: 2 });
    assert.deepEqual([whole, maps.map((map) => [...map]), grid], [['a', 'ball'], [[120, 1], [120, 1]], [1, 2]]);
  });

  it('say what is not there', () => {
    assert.throws(() => tokenMaps(caption, { layer: 2 }), /layer is 2: expected 0 to 1/);
    assert.throws(() => headMaps(caption, { head: -1 }), /head is -1: expected 0 to 2/);
    for (const one of [headMaps, headCounts]) assert.throws(() => one({ ...caption, attention: { maps: [], grid: [1, 2] } }), /outputAttentions: true/);
  });
});

describe('mapSpread', () => {
  it('is the share of the cells that a map takes up', () => {
    closeTo([mapSpread([3, 3, 3, 3]), mapSpread([0, 0, 7, 0]), mapSpread([5, 5, 0, 0])], [1, 0.25, 0.5], 1e-12);
    assert.ok(mapSpread([4, 1]) > 0.5 && mapSpread([4, 1]) < 1);
    assert.throws(() => mapSpread([0, 0]), /zeros/);
  });
});
