import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Random, tensorCount, tf, type Tensor } from '../../lib/engine';
import { BertForSequenceClassification, BertModel, GPT2LMHeadModel, load, save, ViTModel, type ConfigJson } from '../../lib/models';
import type { Module } from '../../lib/nn';
import { openWeights, writeSafetensors, type TensorToWrite } from '../../lib/weights';
import { formulaValues } from '../formula';
import { every, relativeTo } from '../relative-to';
import fixture from '../fixtures/models/checkpoints.json';

interface Case { name: string; config: ConfigJson; tensors: Record<string, number[]>; inputs: Record<string, number[]>; output: string; values: number[] }
const cases = fixture as unknown as Case[];
const camelCase = (key: string): string => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The inputs of scripts/reference/checkpoints.py. */
function inputsOf({ inputs, config }: Case): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(inputs).map(([key, shape]) => {
    if (key === 'pixel_values') return [camelCase(key), tf.tensor(formulaValues('pixels', shape).map((v) => v * 3), shape)];
    const below = (config.vocab_size ?? (config.text_config as ConfigJson).vocab_size) as number, size = shape.reduce((a, b) => a * b, 1);
    // A matrix of one value a row has fan 1 in formulaValues: undo its scale to get at the uniform numbers.
    const uniform = formulaValues('ids', [size]).map((v) => v / 0.2 + 0.5);
    return [camelCase(key), tf.tensor(Int32Array.from(uniform, (v) => Math.floor(v * (below - 3)) + 3), shape, 'int32')];
  }));
}

function answer(model: Module, expected: Case): Float32Array {
  const inputs = inputsOf(expected);
  const outputs = (model as unknown as { forward(inputs: object): Record<string, Tensor> }).forward(inputs);
  const values = outputs[camelCase(expected.output)].dataSync() as Float32Array;
  tf.dispose([inputs, outputs] as never);
  return values;
}

describe('load and save', () => {
  let folder: string, before: number;
  const at = (...parts: string[]) => path.join(folder, ...parts);
  const write = ({ config, tensors }: Pick<Case, 'config' | 'tensors'>, to = folder) => {
    fs.mkdirSync(to, { recursive: true });
    fs.writeFileSync(path.join(to, 'config.json'), JSON.stringify(config));
    writeSafetensors(path.join(to, 'model.safetensors'), new Map(Object.entries(tensors).map(([name, shape]): [string, TensorToWrite] =>
      [name, /num_batches_tracked$/.test(name) ? { shape, data: new BigInt64Array(1) } : { shape, data: formulaValues(name, shape) }])));
  };
  const of = (name: string): Case => cases.find((one) => one.name === name)!;
  beforeEach(() => { before = tensorCount(); folder = fs.mkdtempSync(path.join(os.tmpdir(), 'checkpoint-')); });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); assert.equal(tensorCount(), before); });

  for (const expected of cases) {
    it(`reads ${expected.name} as Python wrote it, and writes the same layout`, () => {
      write(expected);
      const checkpoint = load(folder);
      relativeTo(every(answer(checkpoint.model!, expected), 100), expected.values, 1e-4);
      assert.deepEqual(checkpoint.config, expected.config);
      assert.equal(checkpoint.tokenizer, null);
      save(at('saved'), { ...checkpoint, processor: null });
      assert.deepEqual(fs.readdirSync(at('saved')).sort(), ['config.json', 'model.safetensors']);
      assert.deepEqual(fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')), []);
      const saved = openWeights(at('saved'));
      assert.deepEqual(Object.fromEntries([...saved.tensors].map(([name, { shape }]) => [name, shape])), expected.tensors);
      saved.close();
      const config = JSON.parse(fs.readFileSync(at('saved', 'config.json'), 'utf8')) as ConfigJson;
      // What it does not keep from the former file (model_args of timm, say) it may add to, never change.
      for (const [key, value] of Object.entries(expected.config)) {
        const kept = typeof value === 'object' && value && !Array.isArray(value) ? Object.fromEntries(Object.keys(value).map((inner) => [inner, (config[key] as ConfigJson)[inner]])) : config[key];
        assert.deepEqual(kept, value, key);
      }
      const again = load(at('saved'));
      assert.deepEqual(answer(again.model!, expected), answer(checkpoint.model!, expected));
      checkpoint.model!.dispose();
      again.model!.dispose();
      // What was built here has no former config.json to lean on.
      const bare = load(folder);
      save(at('bare'), { model: bare.model });
      const fresh = load(at('bare'));
      assert.deepEqual(answer(fresh.model!, expected), answer(bare.model!, expected));
      bare.model!.dispose();
      fresh.model!.dispose();
    });
  }

  it('refuses sizes far beyond the weights before memory is asked for, and files without end', () => {
    const { config, tensors } = of('GPT2LMHeadModel');
    for (const sizes of [{ n_embd: 900_000, n_head: 1 }, { vocab_size: 1_000_000, n_embd: 900_000, n_head: 1 }, { n_layer: 1_000_000 }]) {
      write({ config: { ...config, ...sizes }, tensors });
      assert.throws(() => load(folder), /config\.json: its sizes make a far larger network than the weights beside it/);
    }
    write({ config, tensors });
    fs.writeFileSync(at('config.json'), JSON.stringify(config).replace('{', `{"extra":${'['.repeat(50_000)}${']'.repeat(50_000)},`));
    assert.throws(() => load(folder), /config\.json: nested more than 50 deep/);
  });

  it('builds another class of the same network, strict unless told otherwise', () => {
    write(of('BertForMaskedLM'));
    assert.throws(() => load(folder, { as: BertForSequenceClassification, config: { numLabels: 3 } }), /missing: bert\.pooler\.dense\.weight.*classifier\.weight/);
    const said: string[] = [];
    const { model } = load(folder, { as: BertForSequenceClassification, config: { numLabels: 3 }, strict: false, random: new Random(4), warn: (message) => said.push(message) });
    assert.equal(model.numLabels, 3);
    assert.match(said.join('\n'), /new: bert\.pooler\.dense\.weight, bert\.pooler\.dense\.bias, classifier\.weight, classifier\.bias/);
    const whole = load(folder, { as: BertModel });
    assert.equal(whole.model.pooler, undefined);
    assert.throws(() => load(folder, { as: GPT2LMHeadModel }), /describes BertForMaskedLM, from which no GPT2LMHeadModel can be built/);
    model.dispose();
    whole.model.dispose();
  });

  it('takes the bare network out of a classifier\'s file', () => {
    const expected = of('ViTForImageClassification');
    write(expected);
    const { model } = load(folder, { as: ViTModel });
    assert.equal(model.pooler, undefined);
    assert.ok([...model.namedParameters()].length === Object.keys(expected.tensors).length - 2);
    model.dispose();
  });

  it('gives GPT-2 new cross attention on request', () => {
    write(of('GPT2LMHeadModel'));
    const { model } = load(folder, { as: GPT2LMHeadModel, config: { addCrossAttention: true }, strict: false, warn: () => {} });
    assert.equal(model.config.addCrossAttention, true);
    model.dispose();
  });

  it('says null for what is not there, and refuses a folder with nothing', () => {
    const expected = of('GPT2LMHeadModel');
    write(expected);
    fs.rmSync(at('model.safetensors'));
    assert.deepEqual(load(folder), { model: null, processor: null, tokenizer: null, config: expected.config });
    fs.rmSync(at('config.json'));
    fs.writeFileSync(at('preprocessor_config.json'), JSON.stringify({ image_processor_type: 'ViTImageProcessor', size: 32 }));
    const { model, processor, config } = load(folder);
    assert.deepEqual([model, config], [null, null]);
    assert.ok(processor);
    fs.rmSync(at('preprocessor_config.json'));
    assert.throws(() => load(folder), /is no checkpoint: it has neither config\.json nor a tokenizer nor preprocessor_config\.json/);
  });

  it('checks output layers that are stored although they are shared', () => {
    const expected = of('GPT2LMHeadModel');
    write({ ...expected, tensors: { ...expected.tensors, 'lm_head.weight': expected.tensors['transformer.wte.weight'] } });
    assert.throws(() => load(folder), /not tied: lm_head\.weight differs from transformer\.wte\.weight/);
  });

  for (const [what, change, message] of [
    ['an architecture that is not known', { architectures: ['T5Model'], model_type: 't5' }, /config\.json describes T5Model, which is not known here: expected one of .*GPT2LMHeadModel/],
    ['a config that names none', { architectures: undefined, model_type: undefined }, /names neither architectures, architecture nor model_type/],
    ['a wrong value, by the file\'s key', { n_embd: 'wide' }, /config\.json: n_embd: .*number/],
    ['heads that do not divide', { n_head: 5 }, /config\.json: n_head: the width n_embd does not divide/],
    ['untied words', { tie_word_embeddings: false }, /config\.json: tie_word_embeddings: only true is supported/],
    ['an activation nobody knows', { activation_function: 'swish' }, /config\.json: activation_function: /],
    ['weights of another size', { n_embd: 16 }, /wrong shape: transformer\.h\.0\.attn\.c_attn\.bias is \[96\] instead of \[48\]/],
    ['a size no machine has', { n_embd: 1e9 }, /config\.json: n_embd: /],
  ] as const) {
    it(`refuses ${what}`, () => {
      const expected = of('GPT2LMHeadModel');
      write({ ...expected, config: { ...expected.config, ...change } });
      assert.throws(() => load(folder), message);
    });
  }

  it('leaves the former checkpoint when saving fails', () => {
    write(of('BertModel'));
    const { model } = load(folder);
    const former = fs.readFileSync(at('config.json'), 'utf8');
    assert.throws(() => save(folder, { model, tokenizer: { save() { throw new Error('disk full'); } } as never }), /disk full/);
    assert.equal(fs.readFileSync(at('config.json'), 'utf8'), former);
    assert.deepEqual(fs.readdirSync(path.dirname(folder)).filter((name) => name.startsWith(path.basename(folder))), [path.basename(folder)]);
    model!.dispose();
  });
});
