import assert from 'node:assert/strict';
import { tensorCount } from '../../lib/engine';
import { generate, type GenerationOptions, type GenerationResult, type StepDecoder } from '../../lib/generation';
import { closeTo } from '../close-to';
import { prompt, toy } from './toy-language';

/** Counts the rows of every step, and what is made and disposed. */
function watched(decoder: StepDecoder, log: { rows: number[]; open: number }): StepDecoder {
  return {
    ...decoder,
    step: (ids, state) => { log.rows.push(ids.length); return decoder.step(ids, state); },
    select: (images) => {
      log.open++;
      const selected = decoder.select!(images);
      return { ...watched(selected, log), dispose: () => { log.open--; selected.dispose(); } };
    },
  };
}

/** Sums over fewer rows are rounded otherwise. */
const withoutScores = ({ sequences, hypotheses }: GenerationResult): unknown =>
  ({ sequences, hypotheses: hypotheses.map((all) => all.map(({ tokens, attention }) => ({ tokens, attention }))) });

describe('images for which a search has ended', () => {
  const cases: GenerationOptions[] = [
    {}, { numBeams: 3 }, { numBeams: 3, earlyStopping: true, numReturnSequences: 2 }, { numBeams: 2, lengthPenalty: 0, repetitionPenalty: 1.4 },
    { suppressTokens: [2] }, { repetitionPenalty: 1.3 }, { numBeams: 2, doSample: true, seed: 5 }, { doSample: true, seed: 5, numReturnSequences: 2 },
  ];
  for (const options of cases) {
    it(`leave with ${JSON.stringify(options)}, which changes nothing`, () => {
      const before = tensorCount();
      let fewest = Infinity;
      for (const seed of [1, 2, 3, 4]) {
        const images = 9, { select: _, ...staying } = toy(images, seed), log = { rows: [] as number[], open: 0 };
        const wanted = { maxNewTokens: 12, ...options }, drawn = options.doSample && options.numBeams;
        const result = generate(watched(toy(images, seed), log), prompt(images), wanted);
        // Beams that are drawn draw for the images that are left alone.
        if (!drawn) {
          const expected = generate(staying, prompt(images), wanted);
          closeTo(result.sequencesScores, expected.sequencesScores, 1e-5);
          assert.deepEqual(withoutScores(result), withoutScores(expected));
        }
        assert.equal(log.open, 0, 'all narrower decoders are disposed');
        fewest = Math.min(fewest, log.rows[log.rows.length - 1] / log.rows[0]);
      }
      const mayLeave = !options.doSample || options.numBeams !== undefined;
      assert.equal(fewest < 0.75, mayLeave, `rows of the last step beside the first's: ${fewest}`);
      assert.equal(tensorCount(), before);
    });
  }

  it('stay where the decoder has no `select`', () => {
    const { select: _, ...decoder } = toy(4, 3), log = { rows: [] as number[], open: 0 };
    generate({ ...watched(decoder, log), select: undefined }, prompt(4), { maxNewTokens: 10 });
    assert.deepEqual([...new Set(log.rows)], [4]);
  });
});
