import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { inProject } from '../../lib/project';
import { openWeights, writeSafetensors } from '../../lib/weights';

describe('weights in shards', () => {
  let folder: string, index: string;
  const write = (value: unknown) => fs.writeFileSync(index, typeof value === 'string' ? value : JSON.stringify(value));
  const map = { a: 'one.safetensors', b: 'two.safetensors', c: 'one.safetensors' };
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'shards-'));
    index = path.join(folder, 'model.safetensors.index.json');
    writeSafetensors(path.join(folder, 'one.safetensors'), new Map([['a', { shape: [1], data: Float32Array.of(1) }], ['c', { shape: [1], data: Int32Array.of(3) }]]));
    writeSafetensors(path.join(folder, 'two.safetensors'), new Map([['b', { shape: [1, 1], data: Float32Array.of(2) }]]));
  });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  it('are read as one, from the folder and from the index', () => {
    write({ metadata: { total_size: 12 }, weight_map: map });
    for (const from of [folder, index]) {
      const source = openWeights(from);
      assert.deepEqual([...source.tensors].map(([name, { dtype, shape }]) => [name, dtype, [...shape]]).sort(), [['a', 'F32', [1]], ['b', 'F32', [1, 1]], ['c', 'I32', [1]]]);
      assert.deepEqual([...source.read('a'), ...source.read('b'), ...source.readInt32('c')], [1, 2, 3]);
      assert.throws(() => source.read('d'), /has no tensor "d"/);
      source.close();
    }
  });

  it('may be PyTorch files', () => {
    fs.rmSync(path.join(folder, 'one.safetensors'));
    fs.copyFileSync(inProject('test', 'fixtures', 'weights', 'torch-shared.bin'), path.join(folder, 'part.bin'));
    fs.writeFileSync(path.join(folder, 'pytorch_model.bin.index.json'), JSON.stringify({ weight_map: { weight: 'part.bin', tied: 'part.bin', unsigned: 'part.bin', b: 'two.safetensors' } }));
    const source = openWeights(folder);
    assert.deepEqual(Array.from(source.readInt32('unsigned')), [60000, 1]);
    source.close();
  });

  const bad: [string, unknown, RegExp][] = [
    ['what is not JSON', '{', /is not JSON/],
    ['a list', [], /index\.json: the file: .*Expected/],
    ['an index without a map', {}, /weight_map/],
    ['a file that is no text', { weight_map: { a: 1 } }, /weight_map\.a/],
    ['a path up', { weight_map: { ...map, a: '../one.safetensors' } }, /weight_map\.a: is not a plain file name/],
    ['an absolute path', { weight_map: { ...map, a: '/etc/passwd' } }, /weight_map\.a: is not a plain file name/],
    ['a path of Windows', { weight_map: { ...map, a: '..\\one.safetensors' } }, /weight_map\.a: is not a plain file name/],
    ['the folder above', { weight_map: { ...map, a: '..' } }, /weight_map\.a: is not a plain file name/],
    ['an empty name', { weight_map: { ...map, a: '' } }, /weight_map\.a: is not a plain file name/],
    ['a name with a zero', { weight_map: { ...map, a: 'one\0' } }, /weight_map\.a: is not a plain file name/],
    ['a folder as shard', { weight_map: { ...map, a: 'folder' } }, /not a file/],
    ['an absent shard', { weight_map: { ...map, a: 'three.safetensors' } }, /three\.safetensors, which it names for "a", is absent/],
    ['a tensor that is not in its shard', { weight_map: { ...map, d: 'two.safetensors' } }, /tensor "d" is not in two\.safetensors/],
    ['a tensor in the wrong shard', { weight_map: { ...map, b: 'one.safetensors' } }, /tensor "b" is not in one\.safetensors/],
    ['a tensor that only the shard has', { weight_map: { a: 'one.safetensors' } }, /one\.safetensors holds the tensor "c"/],
    ['a key twice', '{"weight_map": {"a": "one.safetensors", "\\u0061": "two.safetensors"}}', /key "a" is there twice/],
    ['too many shards', { weight_map: Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`t${i}`, `s${i}`])) }, /1001 files, more than the allowed 1000/],
  ];
  for (const [what, content, message] of bad) {
    it(`refuse ${what}`, () => {
      fs.mkdirSync(path.join(folder, 'folder'));
      write(content);
      assert.throws(() => openWeights(folder), (error: Error) => {
        assert.equal(error.name, 'WeightsError', error.stack);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
