/** How files of weights name their number formats, and those formats as JavaScript's arrays. */
import { readable } from '../excerpt';

export class WeightsError extends Error {
  override name = 'WeightsError';
  constructor(message: string, options?: ErrorOptions) { super(readable(message), options); }
}

const bytesPer = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 };

/** safetensors' name of a number format. */
export type StoredDtype = keyof typeof bytesPer;

export const storedDtypes = Object.keys(bytesPer) as StoredDtype[];
export const isStoredDtype = (name: string): name is StoredDtype => Object.hasOwn(bytesPer, name);
export const bytesOf = (dtype: StoredDtype): number => bytesPer[dtype];
export const isFloating = (dtype: StoredDtype): boolean => dtype === 'F32' || dtype === 'F64' || dtype === 'F16' || dtype === 'BF16';

/** Number of values of a shape; undefined where it is beyond 2⁵³, so that a product never wraps or rounds. */
export function elementCount(shape: readonly number[]): number | undefined {
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

let halves: Float32Array | undefined;

function float32OfHalf(): Float32Array {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let h = 0; h < 65536; h++) {
    const exponent = (h >> 10) & 31, fraction = h & 1023, sign = h & 0x8000 ? -1 : 1;
    halves[h] = sign * (exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15));
  }
  return halves;
}

/** The bytes as numbers of their own format (F16 and BF16 as the bits of a Uint16Array); `bytes` is aligned, little endian. */
function asArray(bytes: ArrayBuffer, dtype: StoredDtype) {
  switch (dtype) {
    case 'F64': return new Float64Array(bytes);
    case 'F32': return new Float32Array(bytes);
    case 'I64': return new BigInt64Array(bytes);
    case 'U64': return new BigUint64Array(bytes);
    case 'I32': return new Int32Array(bytes);
    case 'U32': return new Uint32Array(bytes);
    case 'I16': return new Int16Array(bytes);
    case 'F16': case 'BF16': case 'U16': return new Uint16Array(bytes);
    case 'I8': return new Int8Array(bytes);
    case 'U8': case 'BOOL': return new Uint8Array(bytes);
  }
}

/** Values as float32; integers beyond 2²⁴ and float64 are rounded to the nearest. A float32 result is a view of `bytes`. */
export function toFloat32(bytes: ArrayBuffer, dtype: StoredDtype): Float32Array {
  const stored = asArray(bytes, dtype);
  if (stored instanceof Float32Array) return stored;
  const values = new Float32Array(stored.length);
  if (dtype === 'F16') {
    const table = float32OfHalf();
    for (let i = 0; i < values.length; i++) values[i] = table[stored[i] as number];
  } else if (dtype === 'BF16') {
    const bits = new Uint32Array(values.buffer);
    for (let i = 0; i < bits.length; i++) bits[i] = (stored[i] as number) << 16;
  } else if (dtype === 'BOOL') {
    for (let i = 0; i < values.length; i++) values[i] = stored[i] ? 1 : 0;
  } else {
    for (let i = 0; i < values.length; i++) values[i] = Number(stored[i]);
  }
  return values;
}

/** Integer or boolean values exactly. @throws WeightsError for a floating format, or a value beyond 32 bits; `what` names the tensor. */
export function toInt32(bytes: ArrayBuffer, dtype: StoredDtype, what: string): Int32Array {
  if (isFloating(dtype)) throw new WeightsError(`${what} holds ${dtype}, not integers: read it as float32.`);
  const stored = asArray(bytes, dtype);
  if (stored instanceof Int32Array) return stored;
  const values = new Int32Array(stored.length);
  for (let i = 0; i < values.length; i++) {
    const value = dtype === 'BOOL' ? (stored[i] ? 1 : 0) : Number(stored[i]);
    if (value !== (value | 0)) throw new WeightsError(`${what}: value ${i} is ${stored[i]}, beyond 32 bits.`);
    values[i] = value;
  }
  return values;
}

/** Nearest half, ties to even; beyond its range ±∞. */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (x, i) => {
    const sign = (x >>> 16) & 0x8000, magnitude = x & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7e00;
    if (magnitude >= 0x477ff000) return sign | 0x7c00;
    if (magnitude < 0x38800000) {
      // Subnormal halves are multiples of 2⁻²⁴.
      const scaled = Math.abs(values[i]) * 2 ** 24;
      const floor = Math.floor(scaled), rest = scaled - floor;
      return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
    }
    const rounded = magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1);
    return sign | (rounded >>> 13);
  });
}

/** Nearest bfloat16, ties to even; NaN stays NaN. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (x) => ((x & 0x7fffffff) > 0x7f800000 ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16));
}
