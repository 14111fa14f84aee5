/** Pickles and torch.save's zip archives by hand, for files that torch.save would never write. */
import { Buffer } from 'node:buffer';

const u32 = (n: number) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };

/** Opcodes of pickle protocol 2, as bytes. */
export const op = {
  proto: Buffer.from([0x80, 2]), stop: Buffer.from('.'), mark: Buffer.from('('), tuple: Buffer.from('t'), dict: Buffer.from('}'), setItems: Buffer.from('u'),
  reduce: Buffer.from('R'), persistent: Buffer.from('Q'), build: Buffer.from('b'), none: Buffer.from('N'), no: Buffer.from([0x89]), emptyTuple: Buffer.from(')'),
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  text: (value: string) => Buffer.concat([Buffer.from('X'), u32(Buffer.byteLength(value)), Buffer.from(value)]),
  int: (value: number) => { const b = Buffer.from([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0]); b.writeBigInt64LE(BigInt(value), 2); return b; },
};

const tuple = (...items: Buffer[]) => Buffer.concat([op.mark, ...items, op.tuple]);

export interface TensorParts { type?: string; key?: string; count?: number; offset?: number; shape?: number[]; stride?: number[] }

/** A tensor as torch.save describes it; by default 2 floats of storage 0. */
export function tensor({ type = 'FloatStorage', key = '0', count = 2, offset = 0, shape = [2], stride = [1] }: TensorParts = {}): Buffer {
  const storage = Buffer.concat([tuple(op.text('storage'), op.global('torch', type), op.text(key), op.text('cpu'), op.int(count)), op.persistent]);
  const hooks = Buffer.concat([op.global('collections', 'OrderedDict'), op.emptyTuple, op.reduce]);
  const args = tuple(storage, op.int(offset), tuple(...shape.map(op.int)), tuple(...stride.map(op.int)), op.no, hooks);
  return Buffer.concat([op.global('torch._utils', '_rebuild_tensor_v2'), args, op.reduce]);
}

/** A pickle of a dict. */
export function dictPickle(items: Record<string, Buffer>): Buffer {
  return Buffer.concat([op.proto, op.dict, op.mark, ...Object.entries(items).flatMap(([key, value]) => [op.text(key), value]), op.setItems, op.stop]);
}

export interface ZipEntry { name: string; data: Buffer; method?: number; flags?: number; says?: number; at?: number }

/**
 * A zip archive of stored entries; `says` and `at` are the size and place the directory gives instead of the true ones. `wide` keeps sizes and
 * places in 64 bits, as archives beyond 4 GB do.
 */
export function zip(entries: ZipEntry[], wide = false): Buffer {
  const parts: Buffer[] = [], directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, method = 0, flags = 0, says = data.length, at: place = at } of entries) {
    const local = Buffer.alloc(30), central = Buffer.alloc(46);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    const field = Buffer.alloc(wide ? 28 : 0);
    if (wide) {
      field.writeUInt16LE(1, 0);
      field.writeUInt16LE(24, 2);
      for (const [i, value] of [says, says, place].entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
    }
    for (const [at32, value] of [[20, says], [24, says], [42, place]]) central.writeUInt32LE(wide ? 0xffffffff : value, at32);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(field.length, 30);
    parts.push(local, Buffer.from(name), data);
    directory.push(central, Buffer.from(name), field);
    at += 30 + name.length + data.length;
  }
  const end = Buffer.alloc(22), table = Buffer.concat(directory);
  end.writeUInt32LE(0x06054b50, 0);
  if (wide) {
    const end64 = Buffer.alloc(56), locator = Buffer.alloc(20);
    end64.writeUInt32LE(0x06064b50, 0);
    for (const [i, value] of [entries.length, entries.length, table.length, at].entries()) end64.writeBigUInt64LE(BigInt(value), 24 + 8 * i);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(at + table.length), 8);
    end.fill(0xff, 8, 20);
    return Buffer.concat([...parts, table, end64, locator, end]);
  }
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(table.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, table, end]);
}

/** An archive of torch.save with this pickle and these storages. */
export const torchZip = (pickle: Buffer, storages: Record<string, Buffer> = { 0: Buffer.alloc(8) }, more: ZipEntry[] = []): Buffer =>
  zip([{ name: 'm/data.pkl', data: pickle }, ...Object.entries(storages).map(([key, data]) => ({ name: `m/data/${key}`, data })), ...more]);
