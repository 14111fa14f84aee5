import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { BertForMaskedLM, BertForSequenceClassification, bertLoadOptions, BertModel, type BertConfig, type BertHeadOutputs, type BertInputs } from '../../lib/models';
import { loadState, stateOf, writeSafetensors } from '../../lib/weights';
import { fillByFormula } from '../formula';
import { every, relativeTo } from '../relative-to';
import fixture from '../fixtures/models/bert.json';

interface Case {
  model: string; config: Record<string, unknown>; classes: number | null; names: string[] | null; inputs: Record<string, number[][] | number[]>;
  hiddenStates: number[][]; attentions: number[][]; lastHiddenState?: number[]; poolerOutput?: number[]; logits?: number[]; loss?: number;
  gradients?: Record<string, number[]>;
}
const cases = fixture as unknown as Case[];

const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());
const configOf = (config: object): Partial<BertConfig> => Object.fromEntries(Object.entries(config).map(([key, value]) => [camelCase(key), value]));

type Model = BertModel | BertForMaskedLM | BertForSequenceClassification;

function build({ model: name, config, classes, poolerOutput }: Case): Model {
  const ours = configOf(config);
  const model = name === 'BertModel' ? new BertModel(ours, undefined, { pooler: poolerOutput !== undefined })
    : name === 'BertForMaskedLM' ? new BertForMaskedLM(ours) : new BertForSequenceClassification(ours, classes!);
  fillByFormula(model);
  return model;
}

/** The fixture's inputs; labels of several classes at once are float32. */
const inputsOf = ({ model, inputs }: Case): BertInputs & { labels?: Tensor } => Object.fromEntries(Object.entries(inputs).map(([name, values]) =>
  [camelCase(name), tf.tensor(values, undefined, name === 'labels' && model === 'BertForSequenceClassification' && Array.isArray(values[0]) ? 'float32' : 'int32')])) as never;

const forward = (model: Model, inputs: BertInputs & { labels?: Tensor }): Partial<BertHeadOutputs> => model.forward(inputs);
const dispose = (...things: object[]): void => { tf.dispose(things as never); };

describe('BERT', () => {
  for (const expected of cases) {
    it(`equals transformers' ${expected.model} ${expected.names ? `with ${JSON.stringify(expected.config)}` : 'at the size of bert-base'}`, () => {
      const before = tensorCount();
      const model = build(expected), inputs = inputsOf(expected);
      if (expected.names) assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), expected.names.sort());
      const outputs = forward(model, { ...inputs, outputHiddenStates: true, outputAttentions: true });
      for (const [theirs, ours, what] of [[expected.hiddenStates, outputs.hiddenStates!, 'hidden state'], [expected.attentions, outputs.attentions!, 'attention']] as const) {
        assert.equal(ours.length, theirs.length, what);
        for (const [i, values] of theirs.entries()) relativeTo(every(ours[i].dataSync()), values, 1e-4, `${what} ${i}`);
      }
      if (expected.lastHiddenState) relativeTo(every(outputs.lastHiddenState!.dataSync()), expected.lastHiddenState, 1e-4, 'last hidden state');
      if (expected.poolerOutput) relativeTo(outputs.poolerOutput!.dataSync(), expected.poolerOutput, 1e-4, 'pooler output');
      if (expected.logits) relativeTo(every(outputs.logits!.dataSync(), 200), expected.logits, 1e-4, 'logits');
      if (expected.loss) relativeTo(outputs.loss!.dataSync(), [expected.loss], 1e-4, 'loss');
      dispose(outputs, inputs);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  for (const expected of cases.filter((c) => c.gradients)) {
    it(`gives transformers' gradients of every parameter of ${expected.model} with ${String(expected.config.vocab_size)} words`, () => {
      const before = tensorCount();
      const model = build(expected), inputs = inputsOf(expected);
      const named = [...model.namedParameters()].filter(([name]) => !name.endsWith('key.bias'));
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => forward(model, inputs).loss!) as Scalar, named.map(([, p]) => p.tensor));
      assert.deepEqual(named.map(([name]) => name).sort(), Object.keys(expected.gradients!).sort());
      for (const [i, [name]] of named.entries()) relativeTo(every(gradients[i]!.dataSync(), 24), expected.gradients![name], 1e-3, name);
      dispose([value, ...gradients as Tensor[]], inputs);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  it('reads the first published files\' gamma, beta, position numbers and stored output layer', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bert-')), file = path.join(folder, 'model.safetensors');
    const expected = cases.find((c) => c.model === 'BertForMaskedLM')!;
    const model = build(expected), loaded = new BertForMaskedLM(configOf(expected.config));
    const state = stateOf(model, (name) => name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta'));
    state.set('bert.embeddings.position_ids', { shape: [1, 2], data: Int32Array.of(0, 1) });
    state.set('cls.predictions.decoder.weight', state.get('bert.embeddings.word_embeddings.weight')!);
    writeSafetensors(file, state);
    loadState(loaded, file, bertLoadOptions);
    const theirs = new Map(model.namedParameters());
    for (const [name, parameter] of loaded.namedParameters()) assert.deepEqual(parameter.save(), theirs.get(name)!.save(), name);
    model.dispose();
    loaded.dispose();
    fs.rmSync(folder, { recursive: true });
  });

  it('refuses texts that are too long, and masks or labels of another shape', () => {
    const model = build(cases[0]), ids = tf.zeros([1, 4], 'int32'), long = tf.zeros([1, 18], 'int32'), labels = tf.zeros([2], 'int32'), mask = tf.ones([1, 5], 'int32');
    const before = tensorCount();
    assert.throws(() => forward(model, { inputIds: long }), /18 positions, but this BERT has 17/);
    assert.throws(() => forward(model, { inputIds: ids, attentionMask: mask }), /attentionMask has the shape \[1,5\]: expected \[1, 4\]/);
    assert.throws(() => forward(model, { inputIds: ids, labels }), /int32 labels have the shape \[2\]: expected \[1\]/);
    assert.equal(tensorCount(), before);
    dispose([ids, long, labels, mask]);
    model.dispose();
  });
});
