/**
 * Event files that TensorBoard reads (`tensorboard --logdir runs`). A file is a list of TFRecords (tensorflow/core/lib/io/record_writer.h:
 * length, its checksum, data, its checksum), each an Event (tensorflow/core/util/event.proto) in Protocol Buffers' wire format. Only scalar
 * summaries are written, of which both formats need a dozen lines.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** CRC-32C (Castagnoli), polynomial 0x1EDC6F41 in reversed bit order. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

/** TensorFlow rotates a checksum by 15 bits and adds a constant, so that a checksum of data with checksums in it is no trivial one. */
function maskedCrc(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes), masked = Buffer.alloc(4);
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return masked;
}

/** One TFRecord. */
export function tfRecord(data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, maskedCrc(length), data, maskedCrc(data)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    const byte = Number(rest & 127n);
    if (rest < 128n) return Buffer.from([...bytes, byte]);
    bytes.push(byte | 128);
  }
}

const key = (field: number, wireType: number): Buffer => varint(field * 8 + wireType);
const integerField = (field: number, value: number): Buffer => Buffer.concat([key(field, 0), varint(value)]);
const bytesField = (field: number, value: Uint8Array): Buffer => Buffer.concat([key(field, 2), varint(value.length), value]);
function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(field, 1), bytes]);
}
function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, 5), bytes]);
}

/** Event.wall_time (1) and step (2), then what it tells. */
const event = (seconds: number, step: number, content: Buffer): Buffer =>
  Buffer.concat([doubleField(1, seconds), ...(step === 0 ? [] : [integerField(2, step)]), content]);

/** Event.file_version (3): every file begins with it. */
export const versionEvent = (seconds: number): Buffer => event(seconds, 0, bytesField(3, Buffer.from('brain.Event:2')));

/** Event.session_log (7) with the status START (1): TensorBoard drops what earlier files of the folder hold from this step on. */
export const startEvent = (seconds: number, step: number): Buffer => event(seconds, step, bytesField(7, integerField(1, 1)));

/** Event.summary (5) with a Summary.Value (1) a scalar: tag (1) and simple_value (2). */
export function scalarsEvent(seconds: number, step: number, scalars: Readonly<Record<string, number>>): Buffer {
  const values = Object.entries(scalars).map(([tag, value]) => Buffer.concat([bytesField(1, Buffer.from(tag)), floatField(2, value)]));
  return event(seconds, step, bytesField(5, Buffer.concat(values.map((value) => bytesField(1, value)))));
}

let files = 0;

/** An event file of its own in `folder`, begun with the first scalars. Each call is one write: a cut loses no more than that. */
export class EventWriter {
  private descriptor: number | undefined;

  constructor(readonly folder: string) {}

  /** Steps never go back within a file. NaN and infinities are allowed; TensorBoard marks them. */
  scalars(step: number, values: Readonly<Record<string, number>>): void {
    if (Object.keys(values).length === 0) return;
    const seconds = Date.now() / 1000;
    const records = [scalarsEvent(seconds, step, values)];
    if (this.descriptor === undefined) {
      fs.mkdirSync(this.folder, { recursive: true });
      const name = `events.out.tfevents.${Math.floor(seconds)}.${os.hostname()}.${process.pid}.${files++}`;
      this.descriptor = fs.openSync(path.join(this.folder, name), 'ax');
      records.unshift(versionEvent(seconds), startEvent(seconds, step));
    }
    fs.writeSync(this.descriptor, Buffer.concat(records.map(tfRecord)));
  }

  close(): void {
    if (this.descriptor !== undefined) fs.closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}
