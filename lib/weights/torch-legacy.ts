/**
 * The form torch.save had before version 1.6: a magic number, a version, the machine's byte order and the object as four pickles, the list of
 * storages as a fifth, then each storage as a count of 8 bytes and its numbers.
 */
import { bytesOf, WeightsError } from './stored-dtype';
import { storageOf, torchGlobals, TorchStorage } from './torch-globals';
import type { ByteRange } from './torch-zip';
import { unpickle, type Pickled } from './unpickler';
import { readBytes } from './weight-source';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const magicStart = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

export const isLegacyTorch = (start: Uint8Array): boolean => magicStart.every((byte, i) => start[i] === byte);

export interface TorchContents { readonly value: Pickled; readonly storages: ReadonlyMap<string, ByteRange> }

/** Five pickles of the largest checkpoints have some megabytes. */
export const MAX_PICKLE_BYTES = 64 * 2 ** 20;

export function readLegacyTorch(file: string, descriptor: number, size: number): TorchContents {
  const fail = (what: string): never => {
    throw new WeightsError(`${file}: ${what}. The file is damaged or was cut short: download or save it again.`);
  };
  const head = Buffer.from(readBytes(descriptor, 0, Math.min(size, MAX_PICKLE_BYTES), file));
  const declared = new Map<string, TorchStorage>();
  const host = {
    file, global: torchGlobals(file),
    persistent: (id: Pickled) => {
      const storage = storageOf(file, id);
      if (Array.isArray(id) && id[5] !== null && id[5] !== undefined) fail(`the storage ${storage.key} is a view of another, which is not read here`);
      return declare(declared, storage, fail);
    },
  };
  const pickles: Pickled[] = [];
  let at = 0;
  for (let i = 0; i < 5; i++) {
    const { value, end } = unpickle(head, at, host);
    pickles.push(value);
    at = end;
  }
  const [magic, version, system, value, keys] = pickles;
  if (magic !== MAGIC || version !== 1001) fail('not in the form of torch.save');
  if (!(system instanceof Map) || system.get('little_endian') !== true) fail('written on a big-endian machine, which is not read here');
  if (!Array.isArray(keys) || keys.length !== declared.size) return fail('its list of storages does not fit its tensors');
  const storages = new Map<string, ByteRange>();
  for (const key of keys) {
    const storage = typeof key === 'string' ? declared.get(key) : undefined;
    if (!storage || storages.has(storage.key)) return fail('its list of storages does not fit its tensors');
    if (!storage.dtype) return fail(`the storage ${storage.key} has no number format`);
    if (at + 8 > size) fail(`the storage ${storage.key} is missing`);
    const count = new DataView(readBytes(descriptor, at, 8, file)).getBigInt64(0, true);
    if (count !== BigInt(storage.count)) fail(`the storage ${storage.key} has ${count} values instead of ${storage.count}`);
    const length = storage.count * bytesOf(storage.dtype);
    if (at + 8 + length > size) fail(`the storage ${storage.key} ends at byte ${at + 8 + length}, the file at ${size}`);
    storages.set(storage.key, { begin: at + 8, length });
    at += 8 + length;
  }
  return { value, storages };
}

/** The one storage of this key; an error where two of a key differ. */
export function declare(declared: Map<string, TorchStorage>, storage: TorchStorage, fail: (what: string) => never): TorchStorage {
  const former = declared.get(storage.key);
  if (!former) {
    declared.set(storage.key, storage);
    return storage;
  }
  if (former.dtype !== storage.dtype || former.count !== storage.count) fail(`the storage ${storage.key} is described in two ways`);
  return former;
}
