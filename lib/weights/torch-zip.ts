/**
 * The table of contents of a zip archive as torch.save writes it: entries stored without compression, so that a tensor is a range of the file.
 * (Reading such ranges in place, and at once, is what general zip libraries do not offer.)
 */
import { WeightsError } from './stored-dtype';
import { readBytes } from './weight-source';

export interface ByteRange { readonly begin: number; readonly length: number }

const MOST_ENTRIES = 1_000_000;
const MAX_DIRECTORY_BYTES = 256 * 2 ** 20;
const END = 0x06054b50, END_64 = 0x06064b50, LOCATOR_64 = 0x07064b50, DIRECTORY = 0x02014b50, LOCAL = 0x04034b50;

export const isZip = (start: Uint8Array): boolean => start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;

/** Where each entry's bytes lie. @throws WeightsError naming the file and the entry that is not acceptable. */
export function readStoredZip(file: string, descriptor: number, size: number): Map<string, ByteRange> {
  const fail = (what: string): never => {
    throw new WeightsError(`${file}: ${what}. The file is damaged or was cut short: download or save it again.`);
  };
  const read = (begin: number, length: number, what: string): Buffer => {
    if (!Number.isSafeInteger(begin + length) || begin < 0 || begin + length > size) fail(`${what} lies beyond the end of the file`);
    return Buffer.from(readBytes(descriptor, begin, length, file));
  };
  const safe = (value: bigint): number => (value > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(value));

  const tailStart = Math.max(0, size - 22 - 65535);
  const tail = read(tailStart, size - tailStart, 'the zip directory\'s end');
  let end = tail.length - 22;
  while (end >= 0 && !(tail.readUInt32LE(end) === END && end + 22 + tail.readUInt16LE(end + 20) === tail.length)) end--;
  if (end < 0) fail('its zip directory is missing');
  let count = tail.readUInt16LE(end + 10), length = tail.readUInt32LE(end + 12), begin = tail.readUInt32LE(end + 16);
  const locator = tailStart + end - 20;
  if (locator >= 0) {
    const found = read(locator, 20, 'the zip64 locator');
    if (found.readUInt32LE(0) === LOCATOR_64) {
      const end64 = read(safe(found.readBigUInt64LE(8)), 56, 'the zip64 directory\'s end');
      if (end64.readUInt32LE(0) !== END_64) fail('its zip64 directory is missing');
      [count, length, begin] = [safe(end64.readBigUInt64LE(32)), safe(end64.readBigUInt64LE(40)), safe(end64.readBigUInt64LE(48))];
    }
  }
  if (count > MOST_ENTRIES || length > MAX_DIRECTORY_BYTES) fail(`its zip directory has ${count} entries in ${length} bytes, more than allowed`);
  const directory = read(begin, length, 'the zip directory');

  const entries = new Map<string, ByteRange & { local: number }>();
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 46 > length || directory.readUInt32LE(at) !== DIRECTORY) fail(`entry ${i} of its zip directory is damaged`);
    const flags = directory.readUInt16LE(at + 8), method = directory.readUInt16LE(at + 10);
    const [nameLength, extraLength, noteLength] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field));
    const next = at + 46 + nameLength + extraLength + noteLength;
    if (next > length) fail(`entry ${i} of its zip directory is damaged`);
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const [packed, unpacked, local] = wideFields(extra, [directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 42)])
      ?? fail(`the entry ${name} has damaged zip64 sizes`) as never;
    if (flags & 1) fail(`the entry ${name} is encrypted`);
    if (method !== 0 || packed !== unpacked) fail(`the entry ${name} is compressed, which torch.save never does`);
    const header = read(local, 30, `the entry ${name}`);
    if (header.readUInt32LE(0) !== LOCAL) fail(`the entry ${name} does not begin where the directory says`);
    const data = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (data + unpacked > begin) fail(`the entry ${name} lies beyond the directory`);
    if (entries.has(name)) fail(`the entry ${name} is there twice`);
    entries.set(name, { local, begin: data, length: unpacked });
    at = next;
  }
  let reached = 0;
  for (const [name, range] of [...entries].sort((a, b) => a[1].local - b[1].local)) {
    if (range.local < reached) fail(`the entry ${name} overlaps another`);
    reached = range.begin + range.length;
  }
  return entries;
}

/** Unpacked size, packed size and place, from the zip64 field (id 1) where 32 bits are too few; undefined when that is damaged. */
function wideFields(extra: Buffer, [packed, unpacked, local]: number[]): [number, number, number] | undefined {
  let wide: Buffer | undefined;
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) wide = extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  let at = 0;
  const widen = (value: number): number => {
    if (value !== 0xffffffff) return value;
    if (!wide || at + 8 > wide.length) return NaN;
    at += 8;
    return Number(wide.readBigUInt64LE(at - 8));
  };
  // In this order in the field.
  const size = widen(unpacked), stored = widen(packed), place = widen(local);
  return [stored, size, place].every(Number.isSafeInteger) ? [stored, size, place] : undefined;
}
