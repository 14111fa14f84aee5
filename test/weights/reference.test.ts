import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { openWeights, SafetensorsFile } from '../../lib/weights';
import { inProject } from '../../lib/project';
import torchValues from '../fixtures/weights/values.json';
import verdicts from '../fixtures/weights/safetensors-verdicts.json';

const fixture = (name: string) => inProject('test', 'fixtures', 'weights', name);

describe('weights as the reference libraries read them', () => {
  for (const [file, expected] of Object.entries(torchValues)) {
    it(`${file}: names, shapes and values of torch.load`, () => {
      const source = openWeights(fixture(file));
      assert.deepEqual([...source.tensors].map(([name, { shape }]) => [name, shape]), Object.entries(expected).map(([name, { shape }]) => [name, shape]));
      for (const [name, { values }] of Object.entries(expected as Record<string, { values: (number | string)[] }>)) {
        assert.deepEqual(Array.from(source.read(name)), values.map((v) => (v === 'inf' ? Infinity : v === '-inf' ? -Infinity : Number(v))), name);
      }
      source.close();
    });
  }

  it('gives integers exactly, and refuses floats as integers', () => {
    const source = openWeights(fixture('torch-zip.pth'));
    assert.deepEqual(Array.from(source.readInt32('i64')), [2 ** 31 - 1, -5]);
    assert.deepEqual(Array.from(source.readInt32('boolean')), [1, 0]);
    assert.deepEqual(Array.from(source.readInt32('u8')), [200]);
    assert.throws(() => source.readInt32('f16'), /"f16" holds F16, not integers/);
    assert.throws(() => source.read('absent'), /has no tensor "absent"/);
    source.close();
  });

  for (const [what, { header, data, accepted }] of Object.entries(verdicts)) {
    it(`safetensors with ${what}: ${accepted ? 'accepted' : 'refused'}, as by the safetensors library`, () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weights-')), file = path.join(folder, 'x.safetensors');
      const json = Buffer.from(header), length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(json.length));
      fs.writeFileSync(file, Buffer.concat([length, json, Buffer.alloc(data)]));
      try {
        if (accepted) {
          const source = SafetensorsFile.open(file);
          for (const [name, { shape }] of source.tensors) assert.equal(source.read(name).length, shape.reduce((a, b) => a * b, 1));
          source.close();
        } else assert.throws(() => SafetensorsFile.open(file), (error: Error) => error.name === 'WeightsError' && error.message.includes(file));
      } finally { fs.rmSync(folder, { recursive: true }); }
    });
  }
});
