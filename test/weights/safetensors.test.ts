import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Random, tensorCount } from '../../lib/engine';
import { Linear, Module } from '../../lib/nn';
import { loadState, SafetensorsFile, saveState, toHalf, writeSafetensors } from '../../lib/weights';

class Pair extends Module {
  readonly first: Linear;
  readonly layers: Linear[];
  constructor(seed = 1) { super(); const random = new Random(seed); this.first = new Linear(3, 2, random); this.layers = [new Linear(2, 2, random, { bias: false })]; }
}

describe('safetensors', () => {
  let folder: string, file: string;
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weights-')); file = path.join(folder, 'model.safetensors'); });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  /** A file with this header and so many bytes of data. */
  const craft = (header: unknown, data = 0, length?: bigint) => {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header)), start = Buffer.alloc(8);
    start.writeBigUInt64LE(length ?? BigInt(json.length));
    fs.writeFileSync(file, Buffer.concat([start, json, Buffer.alloc(data)]));
  };

  it('gives back what was written, float32 and int32, with metadata', () => {
    writeSafetensors(file, new Map([['a', { shape: [2, 2], data: Float32Array.of(1, -2.5, 1e-30, 3e38) }], ['b', { shape: [], data: Int32Array.of(7) }]]), { metadata: { made: 'here' } });
    const source = SafetensorsFile.open(file);
    assert.deepEqual(Array.from(source.read('a')), Array.from(Float32Array.of(1, -2.5, 1e-30, 3e38)));
    assert.deepEqual(Array.from(source.read('b')), [7]);
    assert.equal(source.metadata.made, 'here');
    assert.deepEqual(fs.readdirSync(folder), ['model.safetensors']);
    source.close();
  });

  it('rounds to half precision to the nearest, ties to even, and reads it back', () => {
    const values = Float32Array.of(0, -0, 1, 1 / 3, 65504, 65519, 65520, 1e9, 6e-8, 2.98e-8, 2.99e-8, 1 + 2 ** -11, 1 + 3 * 2 ** -11, NaN, -Infinity, 2 ** -14 - 2 ** -25);
    assert.deepEqual(Array.from(toHalf(values)), [0, 0x8000, 0x3c00, 0x3555, 0x7bff, 0x7bff, 0x7c00, 0x7c00, 1, 0, 1, 0x3c00, 0x3c02, 0x7e00, 0xfc00, 0x0400]);
    writeSafetensors(file, new Map([['w', { shape: [3], data: Float32Array.of(1 / 3, 6e-8, -65504) }]]), { half: () => true });
    const source = SafetensorsFile.open(file);
    assert.deepEqual(Array.from(source.read('w')), [0.333251953125, 2 ** -24, -65504]);
    source.close();
  });

  const entry = (shape: number[], begin: number, end: number, dtype = 'F32') => ({ dtype, shape, data_offsets: [begin, end] });
  const bad: [string, () => void, RegExp][] = [
    ['a missing file', () => {}, /cannot be opened \(ENOENT\)/],
    ['an empty file', () => fs.writeFileSync(file, ''), /shorter than its 8-byte length/],
    ['a header larger than the file', () => craft('{}', 0, 1000n), /header of 1000 bytes, but the file has only 10/],
    ['a header larger than allowed', () => craft('{}', 0, 1n << 62n), /more than the allowed/],
    ['a header that is not JSON', () => craft('{"a":'), /not JSON in UTF-8/],
    ['a header that is not UTF-8', () => { craft('{"  ":1}'); const b = fs.readFileSync(file); b[10] = 0xff; fs.writeFileSync(file, b); }, /not JSON in UTF-8/],
    ['a header that is a list', () => craft([]), /not a JSON object/],
    ['an unknown dtype', () => craft({ a: entry([1], 0, 4, 'F31') }, 4), /"a" has unknown dtype F31/],
    ['offsets that do not fit the shape', () => craft({ a: entry([2], 0, 4) }, 4), /needs 8 bytes, its offsets span 4/],
    ['offsets beyond the end', () => craft({ a: entry([2], 0, 8) }, 4), /ends at byte/],
    ['offsets the wrong way round', () => craft({ a: entry([1], 8, 4) }, 8), /offsets span -4/],
    ['overlapping tensors', () => craft({ a: entry([2], 0, 8), b: entry([1], 4, 8) }, 8), /"a" and "b" overlap/],
    ['a shape of 65 axes', () => craft({ a: entry(Array<number>(65).fill(1), 0, 4) }, 4), /entry "a".*shape/],
    ['a negative shape', () => craft({ a: entry([-1], 0, 4) }, 4), /entry "a"/],
    ['a shape of halves', () => craft({ a: entry([0.5], 0, 2) }, 2), /entry "a".*shape/],
    ['a shape beyond all files', () => craft({ a: entry([2 ** 40, 2 ** 40], 0, 4) }, 4), /more values than any file can hold/],
    ['bytes before the first tensor', () => craft({ a: entry([1], 4, 8) }, 8), /4 bytes before tensor "a" belong to no tensor/],
    ['bytes after the last tensor', () => craft({ a: entry([1], 0, 4) }, 9), /5 bytes after the last tensor belong to no tensor/],
    ['a tensor twice', () => craft('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), /key "a" twice/],
    ['a shape twice', () => craft('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', 4), /key "shape" twice/],
    ['metadata that is no text', () => craft({ __metadata__: { epoch: 3 } }), /__metadata__ holds something else than texts \(epoch\)/],
    ['a dtype of a megabyte, in a short message', () => craft({ a: entry([1], 0, 4, 'x'.repeat(2 ** 20)) }, 4), /^.{0,1500}unknown dtype x{100,200}….{0,300}$/],
  ];
  for (const [what, make, message] of bad) {
    it(`refuses ${what}, naming the file`, () => {
      make();
      assert.throws(() => SafetensorsFile.open(file), (error: Error) => message.test(error.message) && error.message.includes(file));
    });
  }

  it('refuses every length but the whole one', () => {
    writeSafetensors(file, new Map([['a', { shape: [3], data: Float32Array.of(1, 2, 3) }], ['b', { shape: [], data: Int32Array.of(7) }]]));
    const whole = fs.readFileSync(file);
    for (let length = 0; length < whole.length; length++) {
      fs.writeFileSync(file, whole.subarray(0, length));
      assert.throws(() => SafetensorsFile.open(file), (error: Error) => error.name === 'WeightsError' && error.message.includes(file), `${length} bytes`);
    }
  });

  it('takes a tensor called __proto__ for a tensor', () => {
    writeSafetensors(file, new Map([['__proto__', { shape: [1], data: Float32Array.of(5) }], ['constructor', { shape: [1], data: Float32Array.of(6) }]]));
    const source = SafetensorsFile.open(file);
    assert.deepEqual([...source.read('__proto__'), ...source.read('constructor')], [5, 6]);
    source.close();
  });

  it('loads a module strictly: every name used once, every shape equal', () => {
    const before = tensorCount();
    const [a, b] = [new Pair(1), new Pair(2)];
    saveState(a, file);
    loadState(b, file);
    for (const [name, parameter] of b.namedParameters()) assert.deepEqual(parameter.save(), new Map(a.namedParameters()).get(name)!.save());
    a.dispose();
    b.dispose();
    assert.equal(tensorCount(), before);
  });

  it('refuses missing, unexpected and mis-shaped tensors, lists them, and changes nothing', () => {
    const module = new Pair(1), former = [...module.namedParameters()].map(([, p]) => p.save());
    writeSafetensors(file, new Map([
      ['first.weight', { shape: [3, 2], data: new Float32Array(6) }], ['first.bias', { shape: [2], data: new Float32Array(2) }], ['extra', { shape: [1], data: new Float32Array(1) }],
    ]));
    assert.throws(() => loadState(module, file), /missing: layers\.0\.weight; unexpected: extra; wrong shape: first\.weight is \[3,2\] instead of \[2,3\]/);
    assert.deepEqual([...module.namedParameters()].map(([, p]) => p.save()), former);
    module.dispose();
  });
});
