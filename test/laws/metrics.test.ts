import assert from 'node:assert/strict';
import fc from 'fast-check';
import { scoreCaptions, WordNet, type CaptionScores } from '../../lib/metrics';
import { law } from '../law';

interface Example { candidate: string; references: string[] }

const word = fc.constantFrom('a', 'the', 'dog', 'dogs', 'cat', 'runs', 'running', 'sits', 'on', 'grass', 'red', 'ball', 'near', 'two');
const caption = (least: number) => fc.array(word, { minLength: least, maxLength: 9 }).map((words) => words.join(' '));
const examples = fc.array(fc.record({ candidate: caption(0), references: fc.array(caption(1), { minLength: 1, maxLength: 3 }) }),
  { minLength: 2, maxLength: 6 });

const wordnet = new WordNet();
const tokenize = (text: string) => text.split(' ').filter(Boolean);

/** Scores of examples whose images are called as they are counted, or otherwise. */
function score(all: readonly Example[], names = all.map((_, i) => `image ${i}`)) {
  const references = Object.fromEntries(all.map(({ references: some }, i) => [names[i], some]));
  return scoreCaptions(references, Object.fromEntries(all.map(({ candidate }, i) => [names[i], candidate])), { wordnet, tokenize,
    onWarning: () => {} });
}

const same = (a: CaptionScores, b: CaptionScores) => {
  for (const [name, value] of Object.entries(a)) {
    const other = b[name as keyof CaptionScores];
    assert.ok(Math.abs(value - other) <= 1e-9 * Math.max(1, Math.abs(value)), `${name} is ${value} and ${other}`);
  }
};

describe('caption metrics, whatever the captions', () => {
  law('do not depend on the order of the images, nor of an image\'s references', fc.tuple(examples, fc.infiniteStream(fc.nat())), ([all,
    keys]) => {
    const order = all.map((_, i) => ({ i, key: keys.next().value as number })).sort((a, b) => a.key - b.key).map(({ i }) => i);
    const turned = order.map((i) => ({ ...all[i], references: [...all[i].references].reverse() }));
    const before = score(all), after = score(turned, order.map((i) => `image ${i}`));
    same(before.corpus, after.corpus);
    for (const [name, scores] of Object.entries(before.images)) same(scores, after.images[name]);
  }, 60);

  law('lie between 0 and 1, CIDEr between 0 and 10', examples, (all) => {
    const { corpus, images } = score(all);
    for (const scores of [corpus, ...Object.values(images)]) {
      for (const [name, value] of Object.entries(scores)) {
        const most = name.startsWith('CIDEr') ? 10 : 1;
        assert.ok(value >= 0 && value <= most * (1 + 1e-9), `${name} is ${value}`);
      }
    }
  }, 60);

  // Words of their own, each once: then CIDEr's weights are above 0, and METEOR has one chunk.
  const own = fc.array(fc.integer({ min: 4, max: 9 }), { minLength: 2, maxLength: 5 })
    .map((lengths) => lengths.map((length, image) => Array.from({ length }, (_, i) => `w${image}x${i}`).join(' ')));
  law('give the most to a candidate that is the only reference: 1, CIDEr 10, METEOR 1 − ½/words³', own, (captions) => {
    const { corpus, images } = score(captions.map((text) => ({ candidate: text, references: [text] })));
    for (const name of ['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4', 'ROUGE_L'] as const) assert.ok(Math.abs(corpus[name] - 1) < 1e-6,
      `${name} is ${corpus[name]}`);
    for (const name of ['CIDEr', 'CIDErD'] as const) assert.ok(Math.abs(corpus[name] - 10) < 1e-6, `${name} is ${corpus[name]}`);
    for (const [i, { METEOR }] of Object.values(images).entries()) {
      const words = tokenize(captions[i]).length, expected = 1 - 0.5 / words ** 3;
      assert.ok(Math.abs(METEOR - expected) < 1e-9, `METEOR of ${words} words is ${METEOR}, not ${expected}`);
    }
  }, 40);

  law('give BLEU, ROUGE-L and CIDEr of 0 where no word is shared', fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 5 }),
    (lengths) => {
    const { images } = score(lengths.map((length, i) => ({
      candidate: Array.from({ length }, (_, k) => `c${i}x${k}`).join(' '), references: [Array.from({ length }, (_,
        k) => `r${i}x${k}`).join(' ')],
    })));
    for (const { Bleu_1, ROUGE_L, CIDEr, CIDErD, METEOR } of Object.values(images)) {
      assert.ok(Bleu_1 < 1e-6, `Bleu_1 is ${Bleu_1}`);
      assert.deepEqual([ROUGE_L, CIDEr, CIDErD, METEOR], [0, 0, 0, 0]);
    }
  }, 30);
});
