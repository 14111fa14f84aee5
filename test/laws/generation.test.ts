import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Random, tf } from '../../lib/engine';
import { generate, type GenerationOptions, type Hypothesis, type StepDecoder } from '../../lib/generation';
import { END, prompt, toy, VOCAB } from '../generation/toy-language';
import { law } from '../law';

const search = (seed: number, options: GenerationOptions): Hypothesis[] => generate(toy(1, seed), prompt(1), options).hypotheses[0];

/** The largest log-probability of all texts that end, or have the most tokens. */
function best(seed: number, most: number): number {
  const language = toy(1, seed);
  const from = (tokens: number[]): number => (tokens.at(-1) === END || tokens.length === most ? language.logProbability(0, tokens)
    : Math.max(...Array.from({ length: VOCAB }, (_, token) => from([...tokens, token]))));
  return from([]);
}

describe('beam search, whatever the language', () => {
  const seeds = fc.nat(1e6), penalties = fc.constantFrom(0, 0.5, 1, 2);

  law('gives different texts, best first, each with its own log-probability by length', fc.tuple(seeds, penalties, fc.integer({ min: 2,
    max: 5 })),
    ([seed, lengthPenalty, numBeams]) => {
      const language = toy(1, seed), found = search(seed, { numBeams, lengthPenalty, maxNewTokens: 5 });
      assert.equal(new Set(found.map(({ tokens }) => tokens.join())).size, found.length);
      for (const [i, { tokens, logProbability, score }] of found.entries()) {
        assert.ok(Math.abs(logProbability - language.logProbability(0, tokens)) < 1e-4, `${tokens}: ${logProbability}`);
        assert.ok(Math.abs(score - logProbability / tokens.length ** lengthPenalty) < 1e-4, `${tokens}: ${score}`);
        assert.ok(i === 0 || score <= found[i - 1].score, `${score} at place ${i}, after a lower one`);
      }
    }, 40);

  // Of longer texts the greedy one may fall out of the beams on its way and still end best: there it is no law. Of two tokens it
  // cannot: the likeliest first token is always kept. Sums compare (length penalty 0), so that a length changes nothing.
  law('finds no less than greedy search in texts of two tokens', fc.tuple(seeds, fc.integer({ min: 2, max: 5 })), ([seed, numBeams]) => {
    const [greedy] = search(seed, { maxNewTokens: 2, lengthPenalty: 0 }), [beam] = search(seed, { numBeams, maxNewTokens: 2,
      lengthPenalty: 0 });
    assert.ok(beam.score >= greedy.score - 1e-5, `${beam.tokens} ${beam.score}, greedy ${greedy.tokens} ${greedy.score}`);
  }, 60);

  law('finds the best text of all with as many beams as there are texts', seeds, (seed) => {
    const [{ score }] = search(seed, { numBeams: VOCAB ** 2, maxNewTokens: 3, lengthPenalty: 0 });
    assert.ok(Math.abs(score - best(seed, 3)) < 1e-4, `${score}, the best has ${best(seed, 3)}`);
  }, 25);
});

/** A value that chi-square of so many degrees of freedom exceeds once in some 3.5 million times (Wilson and Hilferty 1931). */
const allowed = (degrees: number): number => degrees * (1 - 2 / (9 * degrees) + 5 * Math.sqrt(2 / (9 * degrees))) ** 3;

/** Pearson's statistic of counts against shares; shares of less than 5 draws are put together. */
function chiSquare(counts: readonly number[], shares: readonly number[]): { value: number; degrees: number } {
  const draws = counts.reduce((a, b) => a + b, 0), cells = new Map<number, [number, number]>();
  for (const [i, share] of shares.entries()) {
    const cell = share * draws < 5 ? -1 : i, [seen, expected] = cells.get(cell) ?? [0, 0];
    cells.set(cell, [seen + counts[i], expected + share * draws]);
  }
  const kept = [...cells.values()].filter(([, expected]) => expected >= 1);
  return { value: kept.reduce((sum, [seen, expected]) => sum + (seen - expected) ** 2 / expected, 0), degrees: Math.max(1,
    kept.length - 1) };
}

function frequent(counts: readonly number[], shares: readonly number[]): void {
  const { value, degrees } = chiSquare(counts, shares);
  assert.ok(value <= allowed(degrees), `chi-square is ${value.toFixed(1)} with ${degrees} degrees of freedom: ${counts} for ${shares}`);
  assert.ok(counts.every((count, i) => count === 0 || shares[i] > 0), `drawn although impossible: ${counts}`);
}

describe('samplers', () => {
  const logits = fc.array(fc.integer({ min: -40, max: 30 }).map((n) => n / 10), { minLength: 2, maxLength: 12 });
  law('draw tokens as often as their probabilities say', fc.tuple(logits, fc.constantFrom(0.5, 1, 2), fc.nat(1000)), ([values, temperature,
    seed]) => {
    const constant: StepDecoder = {
      vocabSize: values.length, start: (images, beams) => [tf.zeros([images * beams, 1])],
      step: (ids, [state]) => ({ logits: tf.tile(tf.tensor2d([values]), [ids.length, 1]), state: [tf.clone(state)] }),
    };
    const options = { doSample: true, topK: 0, temperature, seed, numReturnSequences: 200, maxNewTokens: 20 };
    const { hypotheses: [all] } = generate(constant, { promptIds: [[0]], eosTokenId: null, padTokenId: null }, options);
    const counts = values.map(() => 0), weights = values.map((value) => Math.exp(value / temperature)), total = weights.reduce((a,
      b) => a + b);
    for (const { tokens } of all) for (const token of tokens) counts[token]++;
    frequent(counts, weights.map((weight) => weight / total));
  }, 20);

  law('draw whole numbers and orders alike often', fc.tuple(fc.integer({ min: 2, max: 30 }), fc.nat()), ([n, seed]) => {
    const random = new Random(seed), counts = new Array<number>(n).fill(0), orders = new Map<string, number>();
    for (let i = 0; i < 3000; i++) counts[random.integer(n)]++;
    for (let i = 0; i < 3000; i++) { const order = random.shuffle([0, 1, 2, 3]).join(); orders.set(order, (orders.get(order) ?? 0) + 1); }
    frequent(counts, counts.map(() => 1 / n));
    assert.equal(orders.size, 24);
    frequent([...orders.values()], new Array<number>(24).fill(1 / 24));
  }, 20);
});
