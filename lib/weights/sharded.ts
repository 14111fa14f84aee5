/** Checkpoints in several files behind an index, as transformers writes them: {metadata, weight_map: {tensor: file}}. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { WeightsError } from './stored-dtype';
import { repeatedKey } from './strict-json';
import type { StoredTensor, WeightSource } from './weight-source';

const MAX_INDEX_BYTES = 100_000_000;
const MAX_SHARDS = 1000;

/** A file beside the index: no path, so that an index cannot reach out of its folder. (Links there may: Hugging Face's cache is made of them.) */
const shardName = z.string().regex(/^(?!\.)[^/\\:\0]+$/, 'is not a plain file name');
const indexSchema = z.object({ metadata: z.record(z.string(), z.unknown()).optional(), weight_map: z.record(z.string(), shardName) });

/** All shards of an index, opened together: every tensor is in the shard that the index names, and nowhere else. */
export class ShardedWeights implements WeightSource {
  private constructor(
    readonly file: string, readonly tensors: ReadonlyMap<string, StoredTensor>,
    private readonly shardOf: ReadonlyMap<string, WeightSource>, private readonly shards: readonly WeightSource[],
  ) {}

  /**
   * @param open opens one shard.
   * @throws WeightsError naming the index, and the key or shard at fault.
   */
  static open(file: string, open: (shard: string) => WeightSource): ShardedWeights {
    const weightMap = readIndex(file);
    const names = new Map<string, string[]>();
    for (const [name, shard] of Object.entries(weightMap)) {
      const inShard = names.get(shard);
      if (inShard) inShard.push(name); else names.set(shard, [name]);
    }
    if (names.size > MAX_SHARDS) throw new WeightsError(`${file}: names ${names.size} files, more than the allowed ${MAX_SHARDS}.`);
    const shards: WeightSource[] = [], tensors = new Map<string, StoredTensor>(), shardOf = new Map<string, WeightSource>();
    try {
      for (const [shard, listed] of names) {
        const beside = path.join(path.dirname(file), shard);
        if (!fs.existsSync(beside)) throw new WeightsError(`${file}: the file ${shard}, which it names for "${listed[0]}", is absent: download it too.`);
        const source = open(beside);
        shards.push(source);
        for (const name of listed) {
          const stored = source.tensors.get(name);
          if (!stored) throw new WeightsError(`${file}: the tensor "${name}" is not in ${shard}, where the index has it.`);
          tensors.set(name, stored);
          shardOf.set(name, source);
        }
        const known = new Set(listed);
        for (const name of source.tensors.keys()) {
          if (known.has(name)) continue;
          throw new WeightsError(`${file}: ${shard} holds the tensor "${name}", which the index does not have there: index and files do not belong together.`);
        }
      }
    } catch (error) {
      for (const shard of shards) shard.close();
      throw error;
    }
    return new ShardedWeights(file, tensors, shardOf, shards);
  }

  private shard(name: string): WeightSource {
    const source = this.shardOf.get(name);
    if (!source) throw new WeightsError(`${this.file} has no tensor "${name}".`);
    return source;
  }

  read(name: string): Float32Array { return this.shard(name).read(name); }
  readInt32(name: string): Int32Array { return this.shard(name).readInt32(name); }
  close(): void { for (const shard of this.shards) shard.close(); }
}

function readIndex(file: string): Record<string, string> {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new WeightsError(`${file} cannot be opened (ENOENT): check the path.`);
  if (stat.size > MAX_INDEX_BYTES) throw new WeightsError(`${file}: ${stat.size} bytes are more than the allowed ${MAX_INDEX_BYTES}.`);
  const text = fs.readFileSync(file, 'utf8');
  let json: unknown;
  try { json = JSON.parse(text); } catch (error) { throw new WeightsError(`${file} is not JSON (${(error as Error).message}).`); }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw new WeightsError(`${file}: the key "${repeated}" is there twice.`);
  const parsed = indexSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new WeightsError(`${file}: ${issue.path.join('.') || 'the file'}: ${issue.message}. Expected {"weight_map": {tensor: file beside the index}}.`);
  }
  return parsed.data.weight_map;
}
