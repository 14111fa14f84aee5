/**
 * Reading safetensors (https://github.com/huggingface/safetensors#format): 8 bytes of header length (little endian), a JSON header
 * {name: {dtype, shape, data_offsets}}, then the tensors' bytes. Like the reference library this refuses gaps, overlaps and bytes left over,
 * so that a file has one meaning; beyond it, keys that are there twice.
 */
import * as fs from 'node:fs';
import { z } from 'zod';
import { bytesOf, elementCount, isStoredDtype, storedDtypes, toFloat32, toInt32, WeightsError } from './stored-dtype';
import { repeatedKey } from './strict-json';
import { openFile, readBytes, type StoredTensor, type WeightSource } from './weight-source';

/** As the reference library allows. */
const MAX_HEADER_BYTES = 100_000_000;

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()).max(64),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});
const metadataSchema = z.record(z.string(), z.string());

interface Placed extends StoredTensor { begin: number; end: number }

/** An open safetensors file: the header is read and checked at once, tensors when asked for. */
export class SafetensorsFile implements WeightSource {
  private constructor(
    readonly file: string, private readonly descriptor: number,
    readonly metadata: Readonly<Record<string, string>>, readonly tensors: ReadonlyMap<string, Placed>,
  ) {}

  /** @throws WeightsError naming the file, and the tensor where one is at fault. */
  static open(file: string): SafetensorsFile {
    const descriptor = openFile(file);
    try { return SafetensorsFile.parse(file, descriptor); } catch (error) { fs.closeSync(descriptor); throw error; }
  }

  private static parse(file: string, descriptor: number): SafetensorsFile {
    const fail = (what: string): never => {
      throw new WeightsError(`${file}: ${what}. The file is damaged or not safetensors: download or save it again.`);
    };
    const { size } = fs.fstatSync(descriptor);
    if (size < 8) fail('shorter than its 8-byte length field');
    const length = new DataView(readBytes(descriptor, 0, 8, file)).getBigUint64(0, true);
    if (length > BigInt(MAX_HEADER_BYTES)) fail(`header of ${length} bytes, more than the allowed ${MAX_HEADER_BYTES}`);
    const headerBytes = Number(length);
    if (8 + headerBytes > size) fail(`header of ${headerBytes} bytes, but the file has only ${size}`);
    let text = '', header: unknown;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readBytes(descriptor, 8, headerBytes, file));
      header = JSON.parse(text);
    } catch { fail('header is not JSON in UTF-8'); }
    if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('header is not a JSON object');
    const repeated = repeatedKey(text);
    if (repeated !== undefined) fail(`header has the key "${repeated}" twice`);

    const dataStart = 8 + headerBytes;
    const tensors = new Map<string, Placed>();
    let metadata: Record<string, string> = {};
    for (const [name, value] of Object.entries(header as Record<string, unknown>)) {
      if (name === '__metadata__') {
        const parsed = metadataSchema.nullable().safeParse(value);
        if (!parsed.success) fail(`__metadata__ holds something else than texts (${parsed.error.issues[0].path.join('.') || 'itself'})`);
        metadata = parsed.data ?? {};
        continue;
      }
      const entry = entrySchema.safeParse(value);
      if (!entry.success) {
        const [issue] = entry.error.issues;
        fail(`entry "${name}": ${issue.message} at ${issue.path.join('.') || 'top'}`);
        continue;
      }
      const { dtype, shape, data_offsets: [begin, end] } = entry.data;
      if (!isStoredDtype(dtype)) { fail(`tensor "${name}" has unknown dtype ${dtype} (known: ${storedDtypes.join(', ')})`); continue; }
      const wanted = (elementCount(shape) ?? Infinity) * bytesOf(dtype);
      if (!Number.isSafeInteger(wanted)) fail(`tensor "${name}" of shape [${shape}] has more values than any file can hold`);
      if (end - begin !== wanted) fail(`tensor "${name}" of shape [${shape}] and dtype ${dtype} needs ${wanted} bytes, its offsets span ${end - begin}`);
      if (dataStart + end > size) fail(`tensor "${name}" ends at byte ${dataStart + end}, the file at ${size}: it was cut short`);
      tensors.set(name, { dtype, shape, begin: dataStart + begin, end: dataStart + end });
    }
    let at = dataStart, former = '';
    for (const [name, { begin, end }] of [...tensors].sort((a, b) => a[1].begin - b[1].begin || a[1].end - b[1].end)) {
      if (begin < at) fail(`tensors "${former}" and "${name}" overlap`);
      if (begin > at) fail(`${begin - at} bytes before tensor "${name}" belong to no tensor`);
      at = end;
      former = name;
    }
    if (at !== size) fail(`${size - at} bytes after the last tensor belong to no tensor`);
    return new SafetensorsFile(file, descriptor, metadata, tensors);
  }

  read(name: string): Float32Array {
    const stored = this.placed(name);
    return toFloat32(this.bytes(name, stored), stored.dtype);
  }

  readInt32(name: string): Int32Array {
    const stored = this.placed(name);
    return toInt32(this.bytes(name, stored), stored.dtype, `${this.file}: tensor "${name}"`);
  }

  private placed(name: string): Placed {
    const stored = this.tensors.get(name);
    if (!stored) throw new WeightsError(`${this.file} has no tensor "${name}".`);
    return stored;
  }

  private bytes(name: string, { begin, end }: Placed): ArrayBuffer {
    return readBytes(this.descriptor, begin, end - begin, `${this.file}: tensor "${name}"`);
  }

  close(): void { fs.closeSync(this.descriptor); }
}
