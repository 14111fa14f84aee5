import assert from 'node:assert/strict';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { LlamaForCausalLM, positionIdsOf, type KeyValues, type LlamaConfig } from '../../lib/models';
import { fillByFormula, formulaValues } from '../formula';
import { every, relativeTo } from '../relative-to';
import fixture from '../fixtures/models/llama.json';

interface Case {
  config: Record<string, unknown> & { rope_parameters?: { rope_theta: number }; hidden_size: number };
  names: string[]; inputIds: number[][]; attentionMask: number[][] | null; labels: number[][]; loss: number; logits: number[];
  hiddenStates: number[][]; attentions: number[][]; gradients: Record<string, number[]>; embedded: { loss: number; gradient: number[] };
  greedy: number[][]; beams: { sequences: number[][]; scores: number[] };
}
const cases = fixture as unknown as Case[];
const [padded, wide, plain] = cases;

function configOf({ config: { rope_parameters, ...config } }: Case): Partial<LlamaConfig> {
  const camel = Object.entries(config).map(([key, value]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), value]);
  return { ...Object.fromEntries(camel), ...(rope_parameters ? { ropeTheta: rope_parameters.rope_theta } : {}) };
}

function build(expected: Case): LlamaForCausalLM {
  const model = new LlamaForCausalLM(configOf(expected));
  fillByFormula(model);
  return model;
}

const names = new Map([[padded, 'with shared key heads, padded'], [wide, 'with wide heads, biases and tied words'], [plain, 'with tied words']]);
const nameOf = (expected: Case): string => names.get(expected)!;
const integers = (rows: number[][]): Tensor => tf.tensor2d(rows, undefined, 'int32');
const dispose = (...things: object[]): void => { tf.dispose(things as never); };

function inputsOf({ inputIds, attentionMask }: Case) {
  const mask = attentionMask && integers(attentionMask);
  return { inputIds: integers(inputIds), ...(mask ? { attentionMask: mask, positionIds: positionIdsOf(mask) } : {}) };
}

describe('Llama', () => {
  for (const expected of cases) {
    const what = nameOf(expected);
    it(`equals transformers' ${what}`, () => {
      const before = tensorCount();
      const model = build(expected), inputs = inputsOf(expected), labels = integers(expected.labels);
      assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), expected.names.sort());
      const outputs = model.forward({ ...inputs, labels, outputHiddenStates: true, outputAttentions: true });
      relativeTo(outputs.loss!.dataSync(), [expected.loss], 1e-5, 'loss');
      relativeTo(every(outputs.logits.dataSync(), 200), expected.logits, 1e-5, 'logits');
      assert.equal(outputs.hiddenStates!.length, expected.hiddenStates.length);
      for (const [i, values] of expected.hiddenStates.entries()) relativeTo(every(outputs.hiddenStates![i].dataSync()), values, 1e-5, `hidden state ${i}`);
      assert.equal(outputs.attentions!.length, expected.attentions.length);
      for (const [i, values] of expected.attentions.entries()) relativeTo(every(outputs.attentions![i].dataSync()), values, 1e-5, `attention ${i}`);
      dispose(outputs, inputs, labels);
      model.dispose();
      assert.equal(tensorCount(), before);
    });

    it(`gives transformers' gradients of every parameter and of embedded inputs ${what}`, () => {
      const before = tensorCount();
      const model = build(expected), { inputIds, ...inputs } = inputsOf(expected), labels = integers(expected.labels);
      const named = [...model.namedParameters()];
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => model.forward({ ...inputs, inputIds, labels }).loss!) as Scalar, named.map(([, p]) => p.tensor));
      assert.deepEqual(named.map(([name]) => name).sort(), Object.keys(expected.gradients).sort());
      for (const [i, [name]] of named.entries()) relativeTo(every(gradients[i]!.dataSync(), 24), expected.gradients[name], 1e-4, name);
      const shape = [...inputIds.shape, expected.config.hidden_size], inputsEmbeds = tf.tensor(formulaValues('embedded', shape), shape);
      const embedded = valueAndGradients(() => tf.tidy(() => model.forward({ ...inputs, inputsEmbeds, labels }).loss!) as Scalar, [inputsEmbeds]);
      relativeTo(embedded.value.dataSync(), [expected.embedded.loss], 1e-5, 'loss of embedded inputs');
      relativeTo(every(embedded.gradients[0]!.dataSync()), expected.embedded.gradient, 1e-4, 'gradient of embedded inputs');
      dispose([value, ...gradients as Tensor[]], [embedded.value, ...embedded.gradients as Tensor[]], inputsEmbeds, inputIds, inputs, labels);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  for (const expected of cases) {
    it(`generates what transformers does, greedy and with beams, ${nameOf(expected)}`, () => {
      const before = tensorCount();
      const model = build(expected), { inputIds, attentionMask, positionIds } = inputsOf(expected);
      const ids = { eosTokenId: 2, padTokenId: (expected.config.pad_token_id as number | null) ?? 0, maxNewTokens: 9 };
      assert.deepEqual(model.generate({ inputIds, attentionMask }, ids).sequences, expected.greedy);
      const beams = model.generate({ inputIds, attentionMask }, { ...ids, numBeams: 3, numReturnSequences: 2, lengthPenalty: 0.7 });
      assert.deepEqual(beams.sequences, expected.beams.sequences);
      relativeTo(beams.sequencesScores, expected.beams.scores, 1e-5, 'scores');
      dispose(inputIds, attentionMask ?? [], positionIds ?? []);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  it('gives each generated token its attention to the text', () => {
    const model = build(wide), { inputIds } = inputsOf(wide);
    const before = tensorCount();
    const { hypotheses } = model.generate({ inputIds, outputAttentions: true }, { maxNewTokens: 3, eosTokenId: 2 });
    for (const [token, looked] of hypotheses[0][0].attention!.entries()) {
      const length = inputIds.shape[1]! + token;
      assert.equal(looked.length, 2 * 3 * length); // layers, query heads, positions
      assert.ok(Math.abs(looked.subarray(0, length).reduce((a, b) => a + b, 0) - 1) < 1e-5);
    }
    assert.equal(tensorCount(), before);
    dispose(inputIds);
    model.dispose();
  });

  it('gives the same logits word by word with cached keys', () => {
    const before = tensorCount();
    const model = build(wide), { inputIds } = inputsOf(wide);
    const whole = model.forward({ inputIds });
    const [batch, length, vocabulary] = whole.logits.shape as [number, number, number];
    let cache: KeyValues[] | undefined;
    for (const [from, to] of [[0, 3], [3, 4], [4, 6], [6, length]]) {
      const ids = tf.slice(inputIds, [0, from], [batch, to - from]);
      const step = model.forward({ inputIds: ids, pastKeyValues: cache, useCache: true });
      const expectedLogits = tf.slice(whole.logits as never, [0, from, 0], [batch, to - from, vocabulary]) as Tensor;
      relativeTo(step.logits.dataSync(), expectedLogits.dataSync(), 1e-5, `positions ${from}–${to - 1}`);
      dispose(ids, expectedLogits, step.logits, step.lastHiddenState, cache ?? []);
      cache = step.pastKeyValues;
    }
    assert.deepEqual(cache![0].key.shape, [batch, 1, length, 14]);
    const last = model.forward({ inputIds, logitsToKeep: 1 });
    assert.deepEqual(last.logits.shape, [batch, 1, vocabulary]);
    relativeTo(last.logits.dataSync(), tf.tidy(() => (tf.slice(whole.logits as never, [0, length - 1, 0], [batch, 1, vocabulary]) as Tensor).dataSync()), 1e-5, 'last logits');
    dispose(whole, cache!, last, inputIds);
    model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('starts with a zero row for padding and weights of the configured spread', () => {
    const model = new LlamaForCausalLM({ ...configOf(padded), padTokenId: 3, initializerRange: 0.1, hiddenSize: 64 });
    const rows = model.model.embed_tokens.weight.tensor.arraySync() as number[][];
    assert.ok(rows[3].every((v) => v === 0) && rows[4].every((v) => v !== 0));
    const spread = tf.tidy(() => tf.sqrt(tf.mean(tf.square(model.model.layers[0].mlp.up_proj.weight.tensor))).dataSync()[0]);
    assert.ok(Math.abs(spread - 0.1) < 0.005, String(spread));
    model.dispose();
  });

  it('refuses ids with embeddings, neither, embeddings of another width, labels of another length, and key heads that do not divide', () => {
    const model = build(padded), ids = tf.zeros([1, 4], 'int32'), embeds = tf.zeros([1, 4, 31]), labels = tf.zeros([1, 5], 'int32');
    const before = tensorCount();
    assert.throws(() => model.forward({ inputIds: ids, inputsEmbeds: embeds }), /either inputIds or inputsEmbeds: both/);
    assert.throws(() => model.forward({}), /either inputIds or inputsEmbeds: neither/);
    assert.throws(() => model.forward({ inputsEmbeds: embeds }), /inputsEmbeds have the shape \[1,4,31\]: expected \[batch, positions, 32\]/);
    assert.throws(() => model.forward({ inputIds: ids, labels }), /labels have the shape \[1,5\]: expected \[1, 4\]/);
    assert.throws(() => model.forward({ inputIds: ids, pastKeyValues: [] }), /pastKeyValues of 0 layers for 3/);
    assert.throws(() => new LlamaForCausalLM({ ...configOf(padded), numKeyValueHeads: 3 }), /numKeyValueHeads 3 does not divide numAttentionHeads 4/);
    assert.equal(tensorCount(), before);
    dispose(ids, embeds, labels);
    model.dispose();
  });
});
