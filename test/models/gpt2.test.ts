import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { gpt2LoadOptions, GPT2LMHeadModel, positionIdsOf, type GPT2Config, type KeyValues } from '../../lib/models';
import { loadState, stateOf, writeSafetensors } from '../../lib/weights';
import { fillByFormula, formulaValues } from '../formula';
import { every, relativeTo } from '../relative-to';
import fixture from '../fixtures/models/gpt2.json';

interface Case {
  config: Record<string, unknown>; inputIds: number[][]; names: string[] | null; attentionMask?: number[][]; encoderAttentionMask?: number[][];
  labels: number[][]; loss: number; logits: number[]; hiddenStates: number[][]; attentions: number[][]; crossAttentions: number[][];
  gradients?: Record<string, number[]>; greedy?: number[][];
}
const cases = fixture as unknown as Case[];
const [plain, padded, cross] = cases;

const camelCase = (config: object): Partial<GPT2Config> =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), value]));

function build({ config }: Case): GPT2LMHeadModel {
  const model = new GPT2LMHeadModel(camelCase(config));
  fillByFormula(model);
  return model;
}

const integers = (rows: number[][]): Tensor => tf.tensor2d(rows, undefined, 'int32');

function inputsOf(expected: Case) {
  const { inputIds, attentionMask, encoderAttentionMask } = expected;
  const mask = attentionMask && integers(attentionMask);
  const shape = encoderAttentionMask && [encoderAttentionMask.length, encoderAttentionMask[0].length, expected.config.n_embd as number];
  return {
    inputIds: integers(inputIds),
    ...(mask ? { attentionMask: mask, positionIds: positionIdsOf(mask) } : {}),
    ...(shape ? { encoderHiddenStates: tf.tensor(formulaValues('encoder', shape).map((v) => v * 3), shape), encoderAttentionMask: integers(encoderAttentionMask) } : {}),
  };
}

const dispose = (...things: object[]): void => { tf.dispose(things as never); };

describe('GPT-2', () => {
  for (const expected of cases) {
    it(`equals transformers' ${expected.names ? `with ${JSON.stringify(expected.config)}${expected.attentionMask ? ', left-padded' : ''}` : 'at the size of the published model'}`, () => {
      const before = tensorCount();
      const model = build(expected), inputs = inputsOf(expected), labels = integers(expected.labels);
      if (expected.names) assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), expected.names.sort());
      else assert.equal(model.parameterCount(), 124_439_808);
      const outputs = model.forward({ ...inputs, labels, outputHiddenStates: true, outputAttentions: true });
      relativeTo(outputs.loss!.dataSync(), [expected.loss], 1e-4, 'loss');
      relativeTo(every(outputs.logits.dataSync(), 200), expected.logits, 1e-4, 'logits');
      for (const [theirs, ours, what] of [[expected.hiddenStates, outputs.hiddenStates!, 'hidden state'], [expected.attentions, outputs.attentions!, 'attention'],
        [expected.crossAttentions, outputs.crossAttentions ?? [], 'cross attention']] as const) {
        assert.equal(ours.length, theirs.length, what);
        for (const [i, values] of theirs.entries()) relativeTo(every(ours[i].dataSync()), values, 1e-4, `${what} ${i}`);
      }
      dispose(outputs, inputs, labels);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  for (const expected of cases.filter((c) => c.gradients)) {
    it(`gives transformers' gradients of every parameter${expected.attentionMask ? ', left-padded' : expected.encoderAttentionMask ? ', with cross attention' : ''}`, () => {
      const before = tensorCount();
      const model = build(expected), inputs = inputsOf(expected), labels = integers(expected.labels);
      const named = [...model.namedParameters()];
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => model.forward({ ...inputs, labels }).loss!) as Scalar, named.map(([, p]) => p.tensor));
      assert.deepEqual(named.map(([name]) => name).sort(), Object.keys(expected.gradients!).sort());
      for (const [i, [name]] of named.entries()) relativeTo(every(gradients[i]!.dataSync(), 24), expected.gradients![name], 1e-3, name);
      dispose([value, ...gradients as Tensor[]], inputs, labels);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  for (const expected of [plain, cross]) {
    it(`gives the same logits word by word with cached keys${expected === cross ? ' and cross keys' : ''}`, () => {
      const before = tensorCount();
      const model = build(expected), inputs = inputsOf(expected);
      const whole = model.forward(inputs);
      const [batch, length, vocabulary] = whole.logits.shape as [number, number, number];
      let cache: KeyValues[] | undefined;
      for (const [from, to] of [[0, 3], [3, 4], [4, 6], [6, length]]) {
        const ids = tf.slice(inputs.inputIds, [0, from], [batch, to - from]);
        // The encoder is read once; later steps use its keys.
        const { encoderHiddenStates, ...rest } = inputs;
        const step = model.forward({ ...rest, ...(cache ? {} : { encoderHiddenStates }), inputIds: ids, pastKeyValues: cache, useCache: true });
        const expectedLogits = tf.slice(whole.logits as never, [0, from, 0], [batch, to - from, vocabulary]) as Tensor;
        relativeTo(step.logits.dataSync(), expectedLogits.dataSync(), 1e-5, `positions ${from}–${to - 1}`);
        dispose(ids, expectedLogits, step.logits, step.lastHiddenState, cache ?? []);
        cache = step.pastKeyValues;
      }
      const last = model.forward({ ...inputs, logitsToKeep: 1 });
      assert.deepEqual(last.logits.shape, [batch, 1, vocabulary]);
      dispose(whole, cache!, last, inputs);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  it('continues a left-padded batch with the words that transformers\' generate chooses', () => {
    const model = build(padded);
    let ids = padded.inputIds, mask = padded.attentionMask!;
    let cache: KeyValues[] | undefined;
    const words: number[][] = ids.map(() => []);
    for (let i = 0; i < padded.greedy![0].length; i++) {
      const [inputIds, attentionMask] = [integers(ids), integers(mask)];
      const positionIds = positionIdsOf(attentionMask, ids[0].length);
      const step = model.forward({ inputIds, attentionMask, positionIds, pastKeyValues: cache, useCache: true, logitsToKeep: 1 });
      dispose(cache ?? []);
      cache = step.pastKeyValues;
      const logits = (step.logits.arraySync() as number[][][]).map(([row]) => row.map((v, id) => (id === 0 ? -Infinity : v)));
      ids = logits.map((row) => [row.indexOf(Math.max(...row))]);
      for (const [row, [id]] of ids.entries()) words[row].push(id);
      mask = mask.map((row) => [...row, 1]);
      dispose(inputIds, attentionMask, positionIds, step.logits, step.lastHiddenState);
    }
    assert.deepEqual(words, padded.greedy);
    dispose(cache!);
    model.dispose();
  });

  it('reads files without the prefix and with the stored causal mask', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gpt2-')), file = path.join(folder, 'model.safetensors');
    const model = build(plain), loaded = new GPT2LMHeadModel(camelCase(plain.config));
    const state = stateOf(model, (name) => name.replace(/^transformer\./, ''));
    state.set('h.0.attn.bias', { shape: [1, 1, 2, 2], data: Float32Array.of(1, 0, 1, 1) });
    writeSafetensors(file, state);
    loadState(loaded, file, gpt2LoadOptions);
    for (const [[name, a], [, b]] of [...model.namedParameters()].map((entry, i) => [entry, [...loaded.namedParameters()][i]] as const)) assert.deepEqual(b.save(), a.save(), name);
    state.delete('h.1.attn.c_attn.bias');
    writeSafetensors(file, state);
    assert.throws(() => loadState(loaded, file, gpt2LoadOptions), /missing: transformer\.h\.1\.attn\.c_attn\.bias/);
    model.dispose();
    loaded.dispose();
    fs.rmSync(folder, { recursive: true });
  });

  it('refuses texts that are too long, and encoders it has no place for', () => {
    const model = build(plain), long = tf.zeros([1, 20], 'int32'), ids = tf.zeros([1, 4], 'int32'), encoder = tf.zeros([1, 2, 32]), labels = tf.zeros([1, 5], 'int32');
    const before = tensorCount();
    assert.throws(() => model.forward({ inputIds: long }), /20 positions, but this GPT-2 has 19/);
    assert.throws(() => model.forward({ inputIds: ids, encoderHiddenStates: encoder }), /addCrossAttention false/);
    assert.throws(() => model.forward({ inputIds: ids, labels }), /labels have the shape \[1,5\]: expected \[1, 4\]/);
    assert.equal(tensorCount(), before);
    dispose(long, ids, encoder, labels);
    model.dispose();
  });
});
