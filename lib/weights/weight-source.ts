import * as fs from 'node:fs';
import { WeightsError, type StoredDtype } from './stored-dtype';

export interface StoredTensor { readonly dtype: StoredDtype; readonly shape: number[] }

/**
 * Named tensors on disk: one safetensors file, one PyTorch file, or several behind an index. What is there is known and checked when it is
 * opened; values are read tensor by tensor, so that a large file is never in memory whole.
 */
export interface WeightSource {
  /** Path, for messages. */
  readonly file: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Values in row-major order as float32, whatever the stored format. */
  read(name: string): Float32Array;
  /** Values of an integer or boolean tensor exactly. */
  readInt32(name: string): Int32Array;
  close(): void;
}

/** readSync takes no more than 2³¹ − 1 bytes. */
const MOST_AT_ONCE = 2 ** 30;

export function openFile(file: string): number {
  try {
    const descriptor = fs.openSync(file, 'r');
    if (fs.fstatSync(descriptor).isFile()) return descriptor;
    fs.closeSync(descriptor);
  } catch (error) {
    throw new WeightsError(`${file} cannot be opened (${(error as NodeJS.ErrnoException).code}): check the path.`);
  }
  throw new WeightsError(`${file} cannot be opened: it is not a file.`);
}

/** `length` bytes from `begin`, in a buffer of their own, so that typed arrays over it are aligned. */
export function readBytes(descriptor: number, begin: number, length: number, what: string): ArrayBuffer {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  for (let done = 0; done < length;) {
    const got = fs.readSync(descriptor, bytes, done, Math.min(length - done, MOST_AT_ONCE), begin + done);
    if (got === 0) throw new WeightsError(`${what}: the file ends ${length - done} bytes too early; it was cut while open. Download or save it again.`);
    done += got;
  }
  return bytes.buffer as ArrayBuffer;
}
