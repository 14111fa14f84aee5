import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Random, tensorCount } from '../../lib/engine';
import { MobileNetV2, save } from '../../lib/models';
import { Linear, Module } from '../../lib/nn';
import { loadState, openWeights, SafetensorsFile, saveState, toBfloat16, writeSafetensors, type TensorToWrite } from '../../lib/weights';
import { inProject } from '../../lib/project';

class Pair extends Module {
  readonly first: Linear;
  readonly layers: Linear[];
  constructor(seed = 1) { super(); const random = new Random(seed); this.first = new Linear(3, 2, random); this.layers = [new Linear(2, 2, random, { bias: false })]; }
}
const values = (module: Module) => [...module.namedParameters()].map(([name, p]) => [name, Array.from(p.save())]);
const f32 = (shape: number[], data: number[]): TensorToWrite => ({ shape, data: Float32Array.from(data) });

describe('loading weights into a module', () => {
  let folder: string, file: string, module: Pair, before: number;
  beforeEach(() => {
    before = tensorCount();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weights-'));
    file = path.join(folder, 'model.safetensors');
    module = new Pair(1);
  });
  afterEach(() => {
    module.dispose();
    fs.rmSync(folder, { recursive: true, force: true });
    assert.equal(tensorCount(), before);
  });
  const whole = (): Map<string, TensorToWrite> => new Map([
    ['first.weight', f32([2, 3], [1, 2, 3, 4, 5, 6])], ['first.bias', f32([2], [7, 8])], ['layers.0.weight', f32([2, 2], [9, 10, 11, 12])],
  ]);
  const expected = [['first.weight', [1, 2, 3, 4, 5, 6]], ['first.bias', [7, 8]], ['layers.0.weight', [9, 10, 11, 12]]];

  it('takes a folder, a file, or an open source, which stays open', () => {
    writeSafetensors(file, whole());
    for (const from of [folder, file]) {
      const other = new Pair(2);
      loadState(other, from);
      assert.deepEqual(values(other), expected);
      other.dispose();
    }
    const source = openWeights(folder);
    loadState(module, source);
    assert.deepEqual(Array.from(source.read('first.bias')), [7, 8]);
    source.close();
  });

  const bad: [string, (state: Map<string, TensorToWrite>) => void, RegExp][] = [
    ['missing', (s) => s.delete('first.bias'), /missing: first\.bias/],
    ['unexpected', (s) => s.set('more', f32([1], [1])), /unexpected: more/],
    ['wrong shape', (s) => s.set('first.bias', f32([1, 2], [1, 2])), /wrong shape: first\.bias is \[1,2\] instead of \[2\]/],
    ['wrong dtype', (s) => s.set('first.bias', { shape: [2], data: Int32Array.of(1, 2) }), /wrong dtype: first\.bias is I32 instead of F32/],
    ['wrong dtype of 64 bits', (s) => s.set('first.bias', { shape: [2], data: BigInt64Array.of(1n, 2n) }), /wrong dtype: first\.bias is I64/],
  ];
  for (const [what, change, message] of bad) {
    it(`refuses ${what}, naming the file and the key, and changes nothing`, () => {
      const former = values(module), state = whole();
      change(state);
      writeSafetensors(file, state);
      assert.throws(() => loadState(module, folder), (error: Error) => message.test(error.message) && error.message.includes(file));
      assert.deepEqual(values(module), former);
    });
  }

  it('refuses two names in the file that mean the same parameter', () => {
    writeSafetensors(file, new Map([...whole(), ['old.bias', f32([2], [1, 2])]]));
    assert.throws(() => loadState(module, file, { rename: (name) => name.replace('old.', 'first.') }), /repeated: first\.bias and old\.bias are both first\.bias/);
  });

  it('refuses a file cut short, and changes nothing', () => {
    const former = values(module);
    writeSafetensors(file, whole());
    fs.truncateSync(file, fs.statSync(file).size - 1);
    assert.throws(() => loadState(module, file), /cut short/);
    assert.deepEqual(values(module), former);
  });

  it('warns of weights that are NaN, naming them, and only then', () => {
    const said: string[] = [];
    writeSafetensors(file, whole());
    loadState(module, file, { warn: (message) => said.push(message) });
    assert.equal(said.length, 0);
    writeSafetensors(file, whole().set('first.bias', f32([2], [NaN, Infinity])));
    loadState(module, file, { warn: (message) => said.push(message) });
    assert.equal(said.length, 1);
    assert.match(said[0], /NaN in first\.bias;/);
  });

  it('stores float32 as bfloat16 by the nearest, ties to even, and float16 per name', () => {
    const few = Float32Array.of(1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 / 3, -0, 3.4e38, Infinity, NaN, 1e-40);
    assert.deepEqual(Array.from(toBfloat16(few)), [0x3f80, 0x3f80, 0x3f82, 0x3eab, 0x8000, 0x7f80, 0x7f80, 0x7fc0, 0x0001]);
    writeSafetensors(file, whole(), { half: (name) => (name === 'first.bias' ? 'BF16' : name === 'first.weight') });
    const source = SafetensorsFile.open(file);
    assert.deepEqual([...source.tensors].map(([name, { dtype }]) => `${name} ${dtype}`), ['layers.0.weight F32', 'first.weight F16', 'first.bias BF16']);
    source.close();
    loadState(module, file);
    assert.deepEqual(values(module), expected);
  });

  it('keeps every tensor aligned, whatever the order of formats', () => {
    writeSafetensors(file, new Map<string, TensorToWrite>([
      ['half', f32([1], [1])], ['single', f32([1], [2])], ['long', { shape: [], data: BigInt64Array.of(-3n) }], ['int', { shape: [1], data: Int32Array.of(4) }],
    ]), { half: (name) => name === 'half' });
    const source = SafetensorsFile.open(file);
    assert.deepEqual([...source.tensors].map(([name, { begin }]) => [name, begin % 8]), [['long', 0], ['single', 0], ['int', 4], ['half', 0]]);
    assert.deepEqual(Array.from(source.readInt32('long')), [-3]);
    source.close();
  });

  it('refuses to write a wrong length or a wrong array, and leaves the former file alone', () => {
    writeSafetensors(file, whole());
    const former = fs.readFileSync(file);
    assert.throws(() => writeSafetensors(file, new Map([['a', f32([3], [1])]])), /"a" of shape \[3\] has 1 values instead of 3/);
    assert.throws(() => writeSafetensors(file, new Map<string, TensorToWrite>([['a', { shape: [1], dtype: 'F32', data: Int32Array.of(1) }]])), /"a" has a Int32Array where its dtype is F32/);
    assert.throws(() => writeSafetensors(file, new Map([['__metadata__', f32([1], [1])]])), /cannot be named __metadata__/);
    assert.deepEqual(fs.readdirSync(folder), ['model.safetensors']);
    assert.deepEqual(fs.readFileSync(file), former);
  });

  it('refuses integers beyond 32 bits as int32', () => {
    writeSafetensors(file, new Map<string, TensorToWrite>([['n', { shape: [2], data: BigInt64Array.of(1n, 2n ** 31n) }]]));
    const source = SafetensorsFile.open(file);
    assert.throws(() => source.readInt32('n'), /"n": value 1 is 2147483648, beyond 32 bits/);
    source.close();
  });

  it('saves the batch counters that PyTorch expects beside the statistics of batch norms', () => {
    const model = new MobileNetV2({ widthMultiplier: 0.35, numClasses: 2 });
    save(folder, { model });
    const source = openWeights(folder);
    const counters = [...source.tensors].filter(([name]) => name.endsWith('num_batches_tracked')).map(([name]) => name.replace('num_batches_tracked', 'running_mean'));
    assert.deepEqual(counters.sort(), [...source.tensors.keys()].filter((name) => name.endsWith('running_mean')).sort());
    assert.equal(counters.length, 52);
    const [name] = counters;
    assert.deepEqual(source.tensors.get(name.replace('running_mean', 'num_batches_tracked'))?.dtype, 'I64');
    source.close();
    model.dispose();
  });

  it('loads a PyTorch file of another name in a folder', () => {
    fs.copyFileSync(inProject('test', 'fixtures', 'weights', 'torch-wrapped.pt'), path.join(folder, 'checkpoint.pt'));
    const source = openWeights(folder);
    assert.equal(source.file, path.join(folder, 'checkpoint.pt'));
    source.close();
    fs.copyFileSync(path.join(folder, 'checkpoint.pt'), path.join(folder, 'other.pt'));
    assert.throws(() => openWeights(folder), /holds several weights \(checkpoint\.pt, other\.pt\)/);
    assert.throws(() => openWeights(path.join(folder, 'absent')), /absent cannot be opened \(ENOENT\)/);
  });

  it('saves and loads without change', () => {
    const other = new Pair(5);
    saveState(module, file);
    loadState(other, file);
    assert.deepEqual(values(other), values(module));
    other.dispose();
  });
});
