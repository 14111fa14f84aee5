import assert from 'node:assert/strict';
import { tf } from '../../lib/engine';
import { generate, type GenerationOptions, type StepDecoder } from '../../lib/generation';

const LOGITS = [2, 1.5, 1, 0.2, -0.5, -1, -3, -8];

/** Every step has the same logits, whatever came before. */
const constant: StepDecoder = {
  vocabSize: LOGITS.length,
  start: (images, beams) => [tf.zeros([images * beams, 1])],
  step: (ids, [state]) => ({ logits: tf.tile(tf.tensor2d([LOGITS]), [ids.length, 1]), state: [tf.clone(state)] }),
};
const prompt = { promptIds: [[0]], eosTokenId: null, padTokenId: null };

/** How often each token is drawn, as a share. */
function frequencies(options: GenerationOptions, draws = 40_000): number[] {
  const counts = new Array<number>(LOGITS.length).fill(0);
  const { hypotheses: [all] } = generate(constant, prompt, { doSample: true, numReturnSequences: 200, maxNewTokens: draws / 200,
    ...options });
  for (const { tokens } of all) for (const token of tokens) counts[token]++;
  return counts.map((count) => count / draws);
}

/** Softmax of the logits over a temperature, of the kept tokens only. */
function probabilities(temperature: number, kept: number): number[] {
  const weights = LOGITS.map((logit, i) => (i < kept ? Math.exp(logit / temperature) : 0)), total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

describe('sampling', () => {
  const cases: [GenerationOptions, number[]][] = [
    [{}, probabilities(1, 8)],
    [{ temperature: 0.5 }, probabilities(0.5, 8)],
    [{ temperature: 2, topK: 0 }, probabilities(2, 8)],
    [{ topK: 3 }, probabilities(1, 3)],
    // The first two tokens have 0.71 of the probability, the third brings it to 0.87.
    [{ topP: 0.8 }, probabilities(1, 3)],
    [{ topP: 0.999, topK: 5, temperature: 0.8 }, probabilities(0.8, 5)],
    [{ topK: 1 }, probabilities(1, 1)],
  ];
  for (const [options, expected] of cases) {
    it(`draws as often as the probabilities of ${JSON.stringify(options)} say`, () => {
      for (const [token, share] of frequencies(options).entries()) {
        // Five standard deviations of a share of 40,000 draws.
        const allowed = 5 * Math.sqrt((expected[token] * (1 - expected[token])) / 40_000);
        assert.ok(Math.abs(share - expected[token]) <= allowed, `token ${token}: ${share}, expected ${expected[token]} ± ${allowed}`);
      }
    });
  }

  it('is decided by the seed', () => {
    const draw = (seed?: number) => generate(constant, prompt, { doSample: true, maxNewTokens: 30, seed }).sequences;
    assert.deepEqual(draw(7), draw(7));
    assert.deepEqual(draw(0), draw());
    assert.notDeepEqual(draw(7), draw(8));
  });

  it('scores what it drew by the model\'s own probabilities', () => {
    const own = probabilities(1, 8);
    for (const { tokens, logProbability } of generate(constant, prompt, { doSample: true, temperature: 0.3, numReturnSequences: 3,
      maxNewTokens: 6 }).hypotheses[0]) {
      const expected = tokens.reduce((sum, token) => sum + Math.log(own[token]), 0);
      assert.ok(Math.abs(logProbability - expected) < 1e-5);
    }
  });

  it('draws beams without replacement: the first step\'s candidates follow the probabilities', () => {
    // Two beams of one token: the pair {a, b} comes first by a's probability, then by b's among the rest; both are returned, best first.
    const own = probabilities(1, 8), seen = new Map<string, number>(), runs = 1500;
    for (let seed = 0; seed < runs; seed++) {
      const { hypotheses: [beams] } = generate(constant, prompt, { doSample: true, numBeams: 2, maxNewTokens: 1, topK: 0, seed });
      const key = `${beams.map(({ tokens }) => tokens[0])}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    for (const [a, b] of [[0, 1], [0, 2], [1, 2], [0, 3]]) {
      const expected = own[a] * own[b] / (1 - own[a]) + own[b] * own[a] / (1 - own[b]);
      const share = (seen.get(`${a},${b}`) ?? 0) / runs, allowed = 5 * Math.sqrt((expected * (1 - expected)) / runs);
      assert.ok(Math.abs(share - expected) <= allowed, `${a},${b}: ${share}, expected ${expected} ± ${allowed}`);
    }
  });

  it('says so when no token is allowed', () => {
    assert.throws(() => generate(constant, prompt, { doSample: true, suppressTokens: [0, 1, 2, 3, 4, 5, 6, 7] }),
      /no token is allowed any more/);
    assert.throws(() => generate(constant, prompt, { noRepeatNgramSize: 1 }), /After 8 tokens no token is allowed/);
  });
});
