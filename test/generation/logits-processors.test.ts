import assert from 'node:assert/strict';
import * as processors from '../../lib/generation/logits-processors';
import { closeTo } from '../close-to';
import fixture from '../fixtures/generation/processors.json';

type Name = 'repetitionPenalty' | 'noRepeatNgram' | 'minimumLength' | 'forcedTokens' | 'suppressTokens' | 'temperature' | 'topK' | 'topP';
interface Case { name: Name; arguments: unknown[]; scores: 'plain' | 'tied'; length: number; after: (number | null)[][] }
const cases = fixture.cases as Case[];

describe('logits processors', () => {
  for (const name of [...new Set(cases.map((c) => c.name))]) {
    const own = cases.filter((c) => c.name === name);
    it(`${name} is transformers' (${own.length} cases)`, () => {
      for (const { arguments: [first, second], scores, length, after } of own) {
        // The repetition penalty's second argument is the padding of each row, which `apply` is told.
        const padding = name === 'repetitionPenalty' ? (second as number[] | undefined) : undefined;
        const processor = (processors[name] as (...args: unknown[]) => processors.LogitsProcessor)(first, ...(padding ? [] : [second]));
        for (const [row, expected] of after.entries()) {
          const actual = Float32Array.from(fixture[scores][row]);
          if (processor.acts(length)) processor.apply(fixture.ids[row].slice(0, length), actual, padding?.[row] ?? 0);
          const what = `${name}(${JSON.stringify([first, second])}), ${scores} row ${row} of ${length} tokens`;
          assert.deepEqual(Array.from(actual, (v) => v === -Infinity), expected.map((v) => v === null), what);
          closeTo(actual.filter((v) => v !== -Infinity), expected.filter((v): v is number => v !== null), 1e-6, what);
        }
      }
    });
  }

  it('come in transformers\' order, and only those that the options ask for', () => {
    const options = { ...fixtureDefaults(), repetitionPenalty: 2, minLength: 3, suppressTokens: [1], doSample: true, temperature: 0.5,
      topK: 2, topP: 0.5 };
    assert.equal(processors.logitsProcessors(options, 1, 20, [5]).length, 6);
    assert.equal(processors.logitsProcessors(options, 1, 20, []).length, 5);
    assert.equal(processors.logitsProcessors(fixtureDefaults(), 1, 20, [5]).length, 0);
  });
});

const fixtureDefaults = () => ({
  numBeams: 1, numBeamGroups: 1, diversityPenalty: 0, doSample: false, temperature: 1, topK: 50, topP: 1, seed: 0, lengthPenalty: 1,
  earlyStopping: false as const, noRepeatNgramSize: 0, repetitionPenalty: 1, suppressTokens: [] as number[], numReturnSequences: 1,
});
