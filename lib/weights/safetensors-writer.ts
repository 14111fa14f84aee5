import * as fs from 'node:fs';
import { bytesOf, elementCount, toBfloat16, toHalf, WeightsError, type StoredDtype } from './stored-dtype';

export interface TensorToWrite {
  readonly shape: readonly number[];
  /** May be a getter: it is asked for when the tensor is written (and, where `dtype` is absent, once before). */
  readonly data: Float32Array | Int32Array | BigInt64Array;
  /** What `data` is, where it is costly to ask: 'F32', 'I32' or 'I64'. */
  readonly dtype?: 'F32' | 'I32' | 'I64';
}

export interface WriteOptions {
  metadata?: Record<string, string>;
  /** Float32 tensors to store in 16 bits: true is float16. */
  half?: (name: string) => boolean | 'F16' | 'BF16';
}

function dtypeOf(name: string, tensor: TensorToWrite, half: NonNullable<WriteOptions['half']>): StoredDtype {
  const dtype = tensor.dtype ?? (tensor.data instanceof Float32Array ? 'F32' : tensor.data instanceof Int32Array ? 'I32' : 'I64');
  const wish = dtype === 'F32' && half(name);
  return wish === true ? 'F16' : wish || dtype;
}

const arrayOf = { F32: Float32Array, F16: Float32Array, BF16: Float32Array, I32: Int32Array, I64: BigInt64Array };

/** The tensor's bytes in the format `dtype`; an error where `data` is not what was said. */
function encode(name: string, { shape, data }: TensorToWrite, dtype: StoredDtype): Uint8Array {
  const count = elementCount(shape);
  if (count !== data.length) throw new WeightsError(`Tensor "${name}" of shape [${shape}] has ${data.length} values instead of ${count}.`);
  if (!(data instanceof arrayOf[dtype as keyof typeof arrayOf])) {
    throw new WeightsError(`Tensor "${name}" has a ${data.constructor.name} where its dtype is ${dtype}.`);
  }
  const stored = dtype === 'F16' ? toHalf(data as Float32Array) : dtype === 'BF16' ? toBfloat16(data as Float32Array) : data;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

/**
 * Writes tensor by tensor beside the target and renames, so that a cut-off write leaves the former file. Wider formats come first, as the
 * reference library does it: every tensor is aligned to its format.
 */
export function writeSafetensors(file: string, tensors: ReadonlyMap<string, TensorToWrite>, { metadata = {}, half = () => false }: WriteOptions = {}): void {
  const header: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  header.__metadata__ = { format: 'pt', ...metadata };
  const placed = [...tensors].map(([name, tensor]) => ({ name, tensor, dtype: dtypeOf(name, tensor, half) }))
    .sort((a, b) => bytesOf(b.dtype) - bytesOf(a.dtype));
  let offset = 0;
  for (const { name, tensor: { shape }, dtype } of placed) {
    if (name === '__metadata__') throw new WeightsError('A tensor cannot be named __metadata__ in safetensors.');
    const bytes = (elementCount(shape) ?? NaN) * bytesOf(dtype);
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new WeightsError(`Tensor "${name}" has the impossible shape [${shape}].`);
    header[name] = { dtype, shape, data_offsets: [offset, offset += bytes] };
  }
  let json = JSON.stringify(header);
  json += ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8);
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
  const temporary = `${file}.${process.pid}.tmp`;
  const descriptor = fs.openSync(temporary, 'w');
  const put = (part: Uint8Array) => {
    for (let done = 0; done < part.byteLength;) done += fs.writeSync(descriptor, part, done, Math.min(part.byteLength - done, 2 ** 30));
  };
  try {
    put(head);
    put(Buffer.from(json));
    for (const { name, tensor, dtype } of placed) put(encode(name, tensor, dtype));
    fs.fsyncSync(descriptor);
  } catch (error) {
    fs.closeSync(descriptor);
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  fs.closeSync(descriptor);
  fs.renameSync(temporary, file);
}
