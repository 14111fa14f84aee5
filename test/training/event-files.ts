import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';

export interface Events { starts: number[]; scalars: Record<string, [step: number, value: number][]> }

/** Fields of a Protocol Buffers message: number, wire type and content. */
function* fieldsOf(bytes: Buffer): Generator<[field: number, value: number | Buffer]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint(), field = Math.floor(key / 8), type = key % 8;
    if (type === 0) yield [field, varint()];
    else if (type === 1) { yield [field, bytes.readDoubleLE(at)]; at += 8; }
    else if (type === 5) { yield [field, bytes.readFloatLE(at)]; at += 4; }
    else {
      assert.equal(type, 2);
      const length = varint();
      yield [field, bytes.subarray(at, at + length)];
      at += length;
    }
  }
}

/** What a folder's event files hold, in the order of their names. */
export function readEventFiles(folder: string): Events {
  const events: Events = { starts: [], scalars: {} };
  for (const name of fs.readdirSync(folder).sort()) {
    const bytes = fs.readFileSync(path.join(folder, name));
    for (let at = 0; at < bytes.length;) {
      const length = Number(bytes.readBigUInt64LE(at)), fields = [...fieldsOf(bytes.subarray(at + 12, at + 12 + length))];
      at += 16 + length;
      const step = (fields.find(([field]) => field === 2)?.[1] ?? 0) as number;
      for (const [field, content] of fields) {
        if (field === 7) events.starts.push(step);
        if (field !== 5) continue;
        for (const [, value] of fieldsOf(content as Buffer)) {
          const parts = new Map(fieldsOf(value as Buffer));
          (events.scalars[String(parts.get(1))] ??= []).push([step, parts.get(2) as number]);
        }
      }
    }
  }
  return events;
}
