import assert from 'node:assert/strict';
import { Random, tensorCount, tf, type Tensor } from '../../lib/engine';
import { beamSearch, greedySearch, type GenerationOptions, type StepDecoder } from '../../lib/generation';
import { closeTo } from '../close-to';

const START = 0, END = 1, VOCAB = 5;
const ids = { startId: START, endId: END };

/**
 * A toy language whose next-word logits depend on the last two words, by a random table; each image has a table of its own.
 * Its state is the last word, so that a beam that is not reordered would show.
 */
function toy(images: number, seed: number): StepDecoder & { logProbability(image: number, tokens: readonly number[]): number } {
  const random = new Random(seed);
  const table = Array.from({ length: images }, () => Float32Array.from({ length: VOCAB * VOCAB * VOCAB }, () => 4 * random.uniform()));
  const row = (image: number, before: number, last: number) => table[image].subarray((before * VOCAB + last) * VOCAB, (before * VOCAB + last + 1) * VOCAB);
  return {
    vocabSize: VOCAB,
    start: (count, beams) => [tf.fill([count * beams, 1], START)],
    step: (last, [before]) => {
      const previous = before.dataSync(), perImage = last.length / images;
      const logits = Float32Array.from(Array.from(last, (word, r) => Array.from(row(Math.floor(r / perImage), previous[r], word))).flat());
      return { logits: tf.tensor2d(logits, [last.length, VOCAB]), state: [tf.tensor2d(Float32Array.from(last), [last.length, 1])], attention: tf.tensor2d(Float32Array.from(last), [last.length, 1]) };
    },
    logProbability: (image, tokens) => {
      let before = START, last = START, sum = 0;
      for (const token of tokens) {
        const logits = Array.from(row(image, before, last));
        sum += logits[token] - Math.log(logits.reduce((a, x) => a + Math.exp(x), 0));
        [before, last] = [last, token];
      }
      return sum;
    },
  };
}

/** Every sequence of up to `length` tokens that ends with END, or has the full length. */
function* sequences(length: number, prefix: number[] = []): Generator<number[]> {
  for (let token = 0; token < VOCAB; token++) {
    const tokens = [...prefix, token];
    if (token === END || tokens.length === length) yield tokens;
    else yield* sequences(length, tokens);
  }
}

const exhaustive = (decoder: ReturnType<typeof toy>, image: number, length: number, penalty: number) =>
  [...sequences(length)].map((tokens) => ({ tokens, score: decoder.logProbability(image, tokens) / tokens.length ** penalty })).sort((a, b) => b.score - a.score);

describe('beamSearch', () => {
  for (const lengthPenalty of [0, 1, 2]) {
    it(`with beams for everything finds the best of all sequences (length penalty ${lengthPenalty})`, () => {
      for (let seed = 1; seed <= 6; seed++) {
        const decoder = toy(2, seed);
        const found = beamSearch(decoder, 2, ids, { numBeams: 200, maxNewTokens: 4, lengthPenalty, earlyStopping: 'never' });
        for (const image of [0, 1]) {
          const best = exhaustive(decoder, image, 4, lengthPenalty).slice(0, 5);
          assert.deepEqual(found[image].slice(0, 5).map((h) => h.tokens), best.map((h) => h.tokens), `seed ${seed}, image ${image}`);
          closeTo(found[image].slice(0, 5).map((h) => h.score), best.map((h) => h.score), 1e-5);
        }
      }
    });
  }

  it('with one beam is greedy search', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const decoder = toy(3, seed);
      const beams = beamSearch(decoder, 3, ids, { numBeams: 1, maxNewTokens: 6 }).map(([best]) => best), greedy = greedySearch(decoder, 3, ids, { maxNewTokens: 6 });
      assert.deepEqual(beams.map((h) => h.tokens), greedy.map((h) => h.tokens));
      closeTo(beams.map((h) => h.logProbability), greedy.map((h) => h.logProbability), 1e-5);
    }
  });

  it('scores each hypothesis by its own tokens and keeps each token\'s attention', () => {
    const decoder = toy(2, 3);
    for (const [image, beams] of beamSearch(decoder, 2, ids, { numBeams: 4, maxNewTokens: 7 }).entries()) {
      for (const { tokens, logProbability, score, attention } of beams) {
        closeTo([logProbability], [decoder.logProbability(image, tokens)], 1e-5);
        closeTo([score], [logProbability / tokens.length], 1e-6);
        // The toy's attention at a step is the word before it.
        assert.deepEqual(attention!.map((a) => a[0]), [START, ...tokens.slice(0, -1)]);
        assert.ok(tokens.indexOf(END) === -1 ? tokens.length === 7 : tokens.indexOf(END) === tokens.length - 1);
      }
      assert.deepEqual(beams.map((h) => h.score), beams.map((h) => h.score).sort((a, b) => b - a));
    }
  });

  it('treats each image alone: the batch gives what one image at a time gives', () => {
    const both = beamSearch(toy(2, 9), 2, ids, { numBeams: 3, maxNewTokens: 6 });
    const first = beamSearch({ ...toy(2, 9), ...alone(toy(2, 9)) }, 1, ids, { numBeams: 3, maxNewTokens: 6 });
    assert.deepEqual(both[0].map((h) => h.tokens), first[0].map((h) => h.tokens));
  });

  it('never generates suppressed tokens', () => {
    const decoder = toy(2, 5), options: GenerationOptions = { maxNewTokens: 8, suppressTokens: [2, END] };
    for (const { tokens } of [...beamSearch(decoder, 2, ids, { ...options, numBeams: 3 }).flat(), ...greedySearch(decoder, 2, ids, options)]) {
      assert.ok(tokens.length === 8 && !tokens.includes(2) && !tokens.includes(END), String(tokens));
    }
    assert.throws(() => greedySearch(decoder, 2, ids, { suppressTokens: [VOCAB] }), /names id 5/);
  });

  it('leaves no tensor behind, also when the decoder throws', () => {
    const decoder = toy(2, 5), before = tensorCount();
    beamSearch(decoder, 2, ids, { numBeams: 3, maxNewTokens: 5 });
    let calls = 0;
    const failing: StepDecoder = { ...decoder, step: (last, state) => { if (++calls > 2) throw new Error('broken'); return decoder.step(last, state); } };
    assert.throws(() => beamSearch(failing, 2, ids, { numBeams: 3 }), /broken/);
    calls = 0;
    assert.throws(() => greedySearch(failing, 2, ids), /broken/);
    assert.equal(tensorCount(), before);
  });

  it('refuses a number of beams that is none', () => {
    for (const numBeams of [0, -1, 1.5]) assert.throws(() => beamSearch(toy(1, 1), 1, ids, { numBeams }), /numBeams/);
  });
});

/** The first image of a toy of two, by itself. */
function alone(decoder: StepDecoder): Pick<StepDecoder, 'start' | 'step'> {
  const doubled = (t: Tensor) => tf.concat([t, t], 0);
  return {
    start: (count, beams) => decoder.start(count, beams),
    step: (last, [before]) => {
      const both = decoder.step(Int32Array.of(...last, ...last), [doubled(before)]);
      const half = (t: Tensor) => tf.slice(t, [0, 0], [last.length, t.shape[1]!]);
      return { logits: half(both.logits), state: both.state.map(half), attention: half(both.attention!) };
    },
  };
}
