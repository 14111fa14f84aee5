import assert from 'node:assert/strict';
import type { Caption } from '../../lib/captioners';
import { wordMaps } from '../../lib/explain';

/** Token i's map is [i, 10 i]. */
const caption = (text: string, words: string[]): Caption => ({
  text, words, tokens: words.map((_, i) => i), logProbability: -1, score: -1,
  attention: { maps: words.map((_, i) => Float32Array.of(i, 10 * i)), grid: [1, 2] },
});
const read = (text: string, pieces: string[]) => {
  const { words, maps, grid } = wordMaps(caption(text, pieces));
  assert.deepEqual(grid, [1, 2]);
  for (const [first, second] of maps) assert.equal(second, 10 * first);
  return Object.fromEntries(words.map((word, i) => [word, maps[i][0]]));
};

describe('wordMaps', () => {
  for (const [kind, text, pieces, expected] of [
    ['whole words, the end token left out', 'a red ball', ['a', 'red', 'ball', '<end>'], { a: 0, red: 1, ball: 2 }],
    ['WordPiece', 'zebraish dog, polka-dot.', ['zebra', '##ish', 'dog', ',', 'polka', '-', 'dot', '.', '[SEP]'], { zebraish: 0.5, dog: 2, 'polka-dot': 5 }],
    ['SentencePiece', 'a toadstool grows', ['▁a', '▁toad', 'st', 'ool', '▁grow', 's', '</s>'], { a: 0, toadstool: 2, grows: 4.5 }],
    ['byte-level pieces, two of which are parts of one letter', 'el niño ríe', ['el', 'ni', '\uFFFD', '\uFFFD', 'o', 'r', 'íe'], { el: 0, niño: 2.5, ríe: 5.5 }],
    ['an unknown word that the text shows otherwise', 'a ⁇  dog', ['▁a', '<unk>', '▁dog'], { a: 0, dog: 2 }],
    ['nothing', '', ['[SEP]'], {}],
  ] as const) {
    it(`makes words of the pieces: ${kind}`, () => { assert.deepEqual(read(text, [...pieces]), expected); });
  }

  it('says what to do about a caption without attention', () => {
    assert.throws(() => wordMaps({ ...caption('a', ['a']), attention: undefined }), /outputAttentions: true/);
  });
});
