/** Readers of weights: safetensors, shards behind an index, both forms of torch.save. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Random } from '../../../lib/random';
import { openWeights, writeSafetensors, type TensorToWrite, type WeightSource } from '../../../lib/weights';
import { dictPickle, op, tensor, torchZip } from '../../../test/weights/pickle-writer';
import { mutateBytes, mutateJson } from '../mutations';
import { must, type FuzzTarget } from '../target';

/** The bytes of a safetensors file. */
export function safetensors(tensors: Record<string, TensorToWrite>): Buffer {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fuzz-seed-')), file = path.join(folder, 'w');
  try {
    writeSafetensors(file, new Map(Object.entries(tensors)));
    return fs.readFileSync(file);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const floats = (...shape: number[]): TensorToWrite => {
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: count }, (_, i) => i / 7) };
};

/** Damage to the header's JSON, its length written anew, as often as to any byte. */
function mutateSafetensors(name: string, bytes: Buffer, random: Random): Buffer {
  if (name.endsWith('.json')) return mutateJson(bytes, random);
  if (bytes.length < 8 || random.integer(2) === 0) return mutateBytes(bytes, random);
  const end = 8 + Number(bytes.readBigUInt64LE(0)), header = mutateJson(bytes.subarray(8, end), random), length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, bytes.subarray(end)]);
}

/** Opens whatever weights lie in the folder and reads every tensor. */
function readWeights(folder: string): void {
  let source: WeightSource | undefined;
  try {
    source = openWeights(folder);
    for (const [name, { shape, dtype }] of source.tensors) {
      const values = /^[IUB]\w*\d?$/.test(dtype) && dtype !== 'BF16' ? source.readInt32(name) : source.read(name);
      must(values.length === shape.reduce((a, b) => a * b, 1), `${name} of shape [${shape}] has ${values.length} values`);
    }
  } finally {
    source?.close();
  }
}

const shard = (name: string) => safetensors({ [name]: floats(2, 2) });
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

function legacyTorch(): Buffer {
  const magic = Buffer.from([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]);
  const version = Buffer.from([0x80, 2, 0x4d, 0xe9, 0x03, 0x2e]), count = Buffer.alloc(8);
  const system = dictPickle({ protocol_version: op.int(1001), little_endian: Buffer.from([0x88]) });
  // The fourth pickle names each storage with a sixth part, the view, which is None.
  const parts = tensor().toString('latin1').replace(/(\x8a\x08.{8})(tQ)/s, '$1N$2');
  const keys = Buffer.concat([op.proto, Buffer.from(']'), op.text('0'), Buffer.from('a.')]);
  count.writeBigInt64LE(2n);
  return Buffer.concat([magic, version, system, dictPickle({ a: Buffer.from(parts, 'latin1') }), keys, count, Buffer.alloc(8, 1)]);
}

export const weightTargets: readonly FuzzTarget[] = [
  {
    name: 'safetensors',
    seeds: () => [
      { 'model.safetensors': safetensors({ a: floats(2, 3), b: { shape: [], data: Int32Array.of(7) }, c: { shape: [0, 4],
        data: new Float32Array(0) } }) },
      { 'model.safetensors': safetensors({ 'layers.0.weight': floats(4), 'layers.1.weight': { shape: [2], data: BigInt64Array.of(1n,
        -1n) } }) },
    ],
    mutate: mutateSafetensors,
    read: readWeights,
  },
  {
    name: 'shards',
    seeds: () => [{
      'model.safetensors.index.json': json({ metadata: { total_size: 32 }, weight_map: { a: 'model-1-of-2.safetensors',
        b: 'model-2-of-2.safetensors' } }),
      'model-1-of-2.safetensors': shard('a'), 'model-2-of-2.safetensors': shard('b'),
    }],
    mutate: mutateSafetensors,
    read: readWeights,
  },
  {
    name: 'torch',
    seeds: () => [
      { 'pytorch_model.bin': torchZip(dictPickle({ a: tensor(), b: tensor({ shape: [2, 2], stride: [0, 1] }), c: tensor({ shape: [],
        stride: [], offset: 1 }) })) },
      { 'pytorch_model.bin': legacyTorch() },
    ],
    read: readWeights,
  },
];
