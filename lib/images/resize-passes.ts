/** The two passes of a resize, run by the WebAssembly of ./resize-kernel.c: about four times as fast as the same loops here. */
import { RESIZE_KERNEL } from './resize-kernel';
import type { RgbImage } from './rgb-image';

/** The part of the WebAssembly API in use; TypeScript has it among the browser's types only. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Instance { // oxlint-disable-line no-unused-vars -- made below
    constructor(module: Module, imports: { env: { memory: Memory } });
    readonly exports: unknown;
  }
}

/** Part of a picture, in pixels from its top left corner. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Fractional bits of a weight: 8-bit pixels times these, summed, stay within 32 bits with two bits to spare for overshoot. */
export const PRECISION_BITS = 22;

/** For each output position: where its window starts, how long it is, and its weights as integers (`stride` apart). */
export interface Weights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  readonly weights: Int32Array;
  readonly stride: number;
}

interface Kernel {
  readonly memory: WebAssembly.Memory;
  horizontal(from: number, rowBytes: number, rows: number, to: number, columns: number, ...weights: number[]): void;
  vertical(from: number, rowBytes: number, to: number, rows: number, ...weights: number[]): void;
}

/** The kernel's own stack lies below this address. */
const FIRST_FREE = 65_536;
/** Room after a buffer for vector loads and stores that go past its end. */
const SLACK = 16;
/** Rows go through the passes in pieces of about this size, so that memory holds one picture and not three. */
const PIECE_BYTES = 4 * 2 ** 20;
/** WebAssembly memory never shrinks: after a picture that took more than this, a fresh kernel is made. */
const KEEP_BYTES = 64 * 2 ** 20;

let compiled: WebAssembly.Module | undefined;
let kept: Kernel | undefined;

/**
 * Resizes with the weights of both directions (undefined: this direction is only cut, not resampled). `part` is the window of the
 * result; `between` its columns and the input rows it is made from.
 */
export function runPasses(
  image: RgbImage,
  columns: Weights | undefined,
  rows: Weights | undefined,
  part: Window,
  between: Window,
): RgbImage {
  const rowBytes = part.width * 3;
  const betweenBytes = rowBytes * between.height;
  const inputRowBytes = image.width * 3;
  const rowsAtOnce = (bytes: number, most: number) => Math.min(most, Math.max(1, Math.floor(PIECE_BYTES / bytes)));
  const inputRows = rowsAtOnce(inputRowBytes, between.height);
  const outputRows = rowsAtOnce(rowBytes, part.height);

  // Weights, then the picture between the passes, then pieces of the input or the result.
  const layout = new Layout();
  const columnWeights = columns && layout.place(columns, part.left, part.width, 0);
  const rowWeights = rows && layout.place(rows, part.top, part.height, between.top);
  const betweenAt = layout.reserve(betweenBytes);
  const pieceAt = layout.reserve(Math.max(columns ? inputRows * inputRowBytes : 0, rows ? outputRows * rowBytes : 0));
  const kernel = kernelWith(layout.end);
  layout.write(kernel.memory);
  const memory = new Uint8Array(kernel.memory.buffer);

  for (let done = 0; done < between.height; done += inputRows) {
    const count = Math.min(inputRows, between.height - done);
    const from = (between.top + done) * inputRowBytes;
    if (columnWeights) {
      memory.set(image.data.subarray(from, from + count * inputRowBytes), pieceAt);
      kernel.horizontal(pieceAt, inputRowBytes, count, betweenAt + done * rowBytes, part.width, ...columnWeights(0));
    } else {
      for (let y = 0; y < count; y++) {
        const start = from + y * inputRowBytes + part.left * 3;
        memory.set(image.data.subarray(start, start + rowBytes), betweenAt + (done + y) * rowBytes);
      }
    }
  }
  if (!rowWeights) return { data: memory.slice(betweenAt, betweenAt + betweenBytes), width: part.width, height: part.height };

  const data = new Uint8Array(rowBytes * part.height);
  for (let done = 0; done < part.height; done += outputRows) {
    const count = Math.min(outputRows, part.height - done);
    kernel.vertical(betweenAt, rowBytes, pieceAt, count, ...rowWeights(done));
    data.set(memory.subarray(pieceAt, pieceAt + count * rowBytes), done * rowBytes);
  }
  return { data, width: part.width, height: part.height };
}

/** Addresses in the kernel's memory, given out one after the other. */
class Layout {
  end = FIRST_FREE;
  private readonly tables: { readonly at: number; readonly values: Int32Array }[] = [];

  reserve(bytes: number): number {
    const at = this.end;
    this.end = Math.ceil((at + bytes + SLACK) / 16) * 16;
    return at;
  }

  /** Places the weights of `count` positions from `first`; answers the kernel's arguments for those from a position on. */
  place({ starts, counts, weights, stride }: Weights, first: number, count: number, origin: number): (from: number) => number[] {
    const put = (values: Int32Array) => {
      const at = this.reserve(values.byteLength);
      this.tables.push({ at, values });
      return at;
    };
    const startsAt = put(starts.slice(first, first + count).map((start) => start - origin));
    const countsAt = put(counts.subarray(first, first + count));
    const weightsAt = put(weights.subarray(first * stride, (first + count) * stride));
    return (from) => [startsAt + from * 4, countsAt + from * 4, weightsAt + from * stride * 4, stride];
  }

  write(memory: WebAssembly.Memory): void {
    for (const { at, values } of this.tables) new Int32Array(memory.buffer, at, values.length).set(values);
  }
}

/** The kernel, with at least `bytes` of memory. */
function kernelWith(bytes: number): Kernel {
  if (!kept || kept.memory.buffer.byteLength > KEEP_BYTES) kept = instantiate();
  const missing = bytes - kept.memory.buffer.byteLength;
  if (missing > 0) kept.memory.grow(Math.ceil(missing / 65_536));
  return kept;
}

function instantiate(): Kernel {
  compiled ??= new WebAssembly.Module(Buffer.from(RESIZE_KERNEL, 'base64'));
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65_536 });
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return { memory, ...(instance.exports as Omit<Kernel, 'memory'>) };
}
