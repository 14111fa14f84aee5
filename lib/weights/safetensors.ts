/**
 * Reading and writing safetensors (https://github.com/huggingface/safetensors#format): 8 bytes of header length (little endian),
 * a JSON header {name: {dtype, shape, data_offsets}}, then the tensors' bytes without gaps.
 */
import * as fs from 'node:fs';
import { z } from 'zod';

export class WeightsError extends Error { override name = 'WeightsError'; }

const MAX_HEADER_BYTES = 100_000_000;
const bytesPer: Record<string, number> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 };

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

export interface StoredTensor { dtype: string; shape: number[]; begin: number; end: number }

/** An open safetensors file: the header is read and checked at once, tensors when asked for. */
export class SafetensorsFile {
  readonly metadata: Record<string, string>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;

  private constructor(readonly file: string, private readonly descriptor: number, metadata: Record<string, string>, tensors: Map<string, StoredTensor>) {
    this.metadata = metadata;
    this.tensors = tensors;
  }

  static open(file: string): SafetensorsFile {
    let descriptor: number;
    try { descriptor = fs.openSync(file, 'r'); } catch (error) {
      throw new WeightsError(`${file} cannot be opened (${(error as NodeJS.ErrnoException).code}): check the path.`);
    }
    try { return SafetensorsFile.parse(file, descriptor); } catch (error) { fs.closeSync(descriptor); throw error; }
  }

  private static parse(file: string, descriptor: number): SafetensorsFile {
    const fail = (what: string): never => { throw new WeightsError(`${file}: ${what}. The file is damaged or not safetensors: download or save it again.`); };
    const { size } = fs.fstatSync(descriptor);
    const start = Buffer.alloc(8);
    if (size < 8 || fs.readSync(descriptor, start, 0, 8, 0) < 8) fail('shorter than its 8-byte length field');
    const length = start.readBigUInt64LE();
    if (length > BigInt(MAX_HEADER_BYTES)) fail(`header of ${length} bytes, more than the allowed ${MAX_HEADER_BYTES}`);
    const headerBytes = Number(length);
    if (8 + headerBytes > size) fail(`header of ${headerBytes} bytes, but the file has only ${size}`);
    const bytes = Buffer.alloc(headerBytes);
    fs.readSync(descriptor, bytes, 0, headerBytes, 8);
    let header: unknown;
    try { header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)); } catch { fail('header is not JSON in UTF-8'); }
    if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('header is not a JSON object');

    const dataStart = 8 + headerBytes;
    const tensors = new Map<string, StoredTensor>();
    let metadata: Record<string, string> = {};
    for (const [name, value] of Object.entries(header as Record<string, unknown>)) {
      if (name === '__metadata__') { metadata = z.record(z.string(), z.string()).catch({}).parse(value); continue; }
      const entry = entrySchema.safeParse(value);
      if (!entry.success) { fail(`entry "${name}": ${entry.error.issues[0].message} at ${entry.error.issues[0].path.join('.') || 'top'}`); continue; }
      const { dtype, shape, data_offsets: [begin, end] } = entry.data;
      if (!(dtype in bytesPer)) fail(`tensor "${name}" has unknown dtype ${dtype} (known: ${Object.keys(bytesPer).join(', ')})`);
      const wanted = shape.reduce((a, b) => a * b, 1) * bytesPer[dtype];
      if (end - begin !== wanted) fail(`tensor "${name}" of shape [${shape}] and dtype ${dtype} needs ${wanted} bytes, its offsets span ${end - begin}`);
      if (dataStart + end > size) fail(`tensor "${name}" ends at byte ${dataStart + end}, the file at ${size}`);
      tensors.set(name, { dtype, shape, begin: dataStart + begin, end: dataStart + end });
    }
    const ordered = [...tensors].sort((a, b) => a[1].begin - b[1].begin || a[1].end - b[1].end);
    for (let i = 1; i < ordered.length; i++) {
      if (ordered[i][1].begin < ordered[i - 1][1].end) fail(`tensors "${ordered[i - 1][0]}" and "${ordered[i][0]}" overlap`);
    }
    return new SafetensorsFile(file, descriptor, metadata, tensors);
  }

  /** Values as float32, whatever the stored dtype. */
  read(name: string): Float32Array {
    const stored = this.tensors.get(name);
    if (!stored) throw new WeightsError(`${this.file} has no tensor "${name}".`);
    // A buffer of its own, so that typed arrays are aligned.
    const bytes = new ArrayBuffer(stored.end - stored.begin);
    for (let done = 0; done < bytes.byteLength;) {
      const got = fs.readSync(this.descriptor, new Uint8Array(bytes), done, bytes.byteLength - done, stored.begin + done);
      if (got === 0) throw new WeightsError(`${this.file}: ends inside tensor "${name}".`);
      done += got;
    }
    return toFloat32(bytes, stored.dtype);
  }

  close(): void { fs.closeSync(this.descriptor); }
}

const float32OfHalf = (() => {
  let table: Float32Array | undefined;
  return (): Float32Array => {
    if (table) return table;
    table = new Float32Array(65536);
    for (let h = 0; h < 65536; h++) {
      const exponent = (h >> 10) & 31, fraction = h & 1023, sign = h & 0x8000 ? -1 : 1;
      table[h] = sign * (exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15));
    }
    return table;
  };
})();

function toFloat32(bytes: ArrayBuffer, dtype: string): Float32Array {
  switch (dtype) {
    case 'F32': return new Float32Array(bytes);
    case 'F64': return Float32Array.from(new Float64Array(bytes));
    case 'F16': { const table = float32OfHalf(); return Float32Array.from(new Uint16Array(bytes), (h) => table[h]); }
    case 'BF16': return new Float32Array(Uint32Array.from(new Uint16Array(bytes), (h) => h << 16).buffer);
    case 'I64': return Float32Array.from(new BigInt64Array(bytes), Number);
    case 'I32': return Float32Array.from(new Int32Array(bytes));
    case 'I16': return Float32Array.from(new Int16Array(bytes));
    case 'I8': return Float32Array.from(new Int8Array(bytes));
    default: return Float32Array.from(new Uint8Array(bytes));
  }
}

/** Nearest half, ties to even; beyond its range ±∞. */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (x) => {
    const sign = (x >>> 16) & 0x8000, magnitude = x & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7e00;
    if (magnitude >= 0x477ff000) return sign | 0x7c00;
    if (magnitude < 0x38800000) {
      // Subnormal halves are multiples of 2⁻²⁴.
      const scaled = Math.abs(new Float32Array(Uint32Array.of(magnitude).buffer)[0]) * 2 ** 24;
      const floor = Math.floor(scaled), rest = scaled - floor;
      return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
    }
    const rounded = magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1);
    return sign | (rounded >>> 13);
  });
}

export interface TensorToWrite { shape: readonly number[]; data: Float32Array | Int32Array }

export interface WriteOptions {
  metadata?: Record<string, string>;
  /** Names of float32 tensors to store as float16. */
  half?: (name: string) => boolean;
}

/** Writes beside the target and renames, so that a cut-off write leaves the former file. */
export function writeSafetensors(file: string, tensors: ReadonlyMap<string, TensorToWrite>, { metadata = {}, half = () => false }: WriteOptions = {}): void {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt', ...metadata } };
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const count = shape.reduce((a, b) => a * b, 1);
    if (count !== data.length) throw new WeightsError(`Tensor "${name}" of shape [${shape}] has ${data.length} values instead of ${count}.`);
    const asHalf = data instanceof Float32Array && half(name);
    const stored = asHalf ? toHalf(data) : data;
    header[name] = { dtype: data instanceof Int32Array ? 'I32' : asHalf ? 'F16' : 'F32', shape, data_offsets: [offset, offset += stored.byteLength] };
    parts.push(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
  }
  let json = JSON.stringify(header);
  json += ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8);
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
  const temporary = `${file}.${process.pid}.tmp`;
  const descriptor = fs.openSync(temporary, 'w');
  try {
    for (const part of [head, Buffer.from(json), ...parts]) {
      for (let done = 0; done < part.byteLength;) done += fs.writeSync(descriptor, part, done, part.byteLength - done);
    }
    fs.fsyncSync(descriptor);
  } catch (error) {
    fs.closeSync(descriptor);
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  fs.closeSync(descriptor);
  fs.renameSync(temporary, file);
}
