import assert from 'node:assert/strict';
import { backend, Random, tensorCount, tf } from '../../lib/engine';
import type { GenerationResult } from '../../lib/generation';
import { GPT2LMHeadModel, LlamaForCausalLM } from '../../lib/models';
import { closeTo } from '../close-to';

/** How many graphs `fn` runs. */
function graphsRun<T>(fn: () => T): { result: T; graphs: number } {
  const own = backend(), { binding } = own;
  let graphs = 0;
  const executeOp: typeof binding.executeOp = (name, ...rest) => {
    if (name.startsWith('captioning_')) graphs++;
    return binding.executeOp(name, ...rest);
  };
  own.binding = Object.create(binding, { executeOp: { value: executeOp } }) as typeof binding;
  try { return { result: fn(), graphs }; } finally { own.binding = binding; }
}

const sizes = { vocabSize: 23, hiddenSize: 16, intermediateSize: 24, numHiddenLayers: 2, numAttentionHeads: 4, numKeyValueHeads: 2 };
const models = {
  GPT2LMHeadModel: () => new GPT2LMHeadModel({ vocabSize: 23, nPositions: 96, nEmbd: 16, nLayer: 2, nHead: 2 }, new Random(1)),
  LlamaForCausalLM: () => new LlamaForCausalLM(sizes, new Random(1)),
};

describe('steps with cached keys', () => {
  for (const [name, build] of Object.entries(models)) {
    it(`of ${name} give as graphs what they give at first, past the room there was, with padding, beams and attention`, () => {
      const model = build(), before = tensorCount(), random = new Random(2);
      // Steeper than the first weights, so that no two tokens are nearly as likely.
      for (const p of model.parameters()) p.assign(tf.tensor(Float32Array.from({ length: p.size }, () => 4 * random.uniform() - 2), p.shape));
      const inputIds = tf.tensor2d([[0, 0, 5, 6], [7, 8, 9, 10]], undefined, 'int32');
      const attentionMask = tf.tensor2d([[0, 0, 1, 1], [1, 1, 1, 1]], undefined, 'int32');
      const common = { maxNewTokens: 44, minNewTokens: 44, eosTokenId: 1, padTokenId: 0 };
      for (const { outputAttentions, ...options } of [{ numBeams: 1 }, { numBeams: 3 }, { numBeams: 2, outputAttentions: true }]) {
        const runs = Array.from({ length: 3 }, () => graphsRun((): GenerationResult =>
          model.generate({ inputIds, attentionMask, outputAttentions }, { ...common, ...options })));
        const [first, ...others] = runs.map(({ result }) => result);
        for (const other of others) {
          assert.deepEqual(other.sequences, first.sequences);
          closeTo(other.sequencesScores, first.sequencesScores, 1e-4);
          const flat = ({ hypotheses }: GenerationResult) => hypotheses.flatMap(([best]) => (best.attention ?? []).flatMap((map) => [...map]));
          closeTo(flat(other), flat(first), 1e-4);
          assert.equal(flat(other).length > 0, outputAttentions === true);
        }
        assert.equal(runs[2].graphs, 44, `graphs of the runs: ${runs.map(({ graphs }) => graphs)}`);
      }
      tf.dispose([inputIds, attentionMask]);
      assert.equal(tensorCount(), before);
      model.dispose();
    });
  }
});
