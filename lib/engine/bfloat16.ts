/**
 * bfloat16: float32's sign and 8 bits of exponent with 7 bits of fraction, two bytes a value. TensorFlow.js does not know it. A tensor
 * that `narrow` made is float32 to TensorFlow.js, which counts and disposes it, and bfloat16 to TensorFlow: only `widen` and native ops
 * with a T of bfloat16 may take it; any other op throws.
 */
import * as fs from 'node:fs';
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { customGradient } from './gradients';
import { backend, nativeOp } from './native';

/** A float32 tensor's values in bfloat16: the nearest one, of two equally near ones the even. */
export const narrow = (x: Tensor): Tensor =>
  nativeOp('Cast', { SrcT: { dtype: 'float32' }, DstT: { dtype: 'bfloat16' }, Truncate: { bool: false } }, [x])[0];

/** The same values in float32. */
export const widen = (x: Tensor): Tensor =>
  nativeOp('Cast', { SrcT: { dtype: 'bfloat16' }, DstT: { dtype: 'float32' }, Truncate: { bool: false } }, [x])[0];

/** The values of a float32 tensor rounded to bfloat16, in float32; the gradient is rounded likewise. Any shape. */
export function roundToBfloat16(x: Tensor): Tensor {
  const rounded = (value: Tensor): Tensor => {
    const short = narrow(value);
    try { return widen(short); } finally { short.dispose(); }
  };
  return customGradient([x], () => rounded(x), (dy) => [rounded(dy)]);
}

/** Whether a processor of this /proc/cpuinfo multiplies bfloat16: AVX-512 BF16 or AMX. */
export const hasBfloat16Instructions = (cpuInfo: string): boolean => /\b(avx512_bf16|amx_bf16)\b/.test(cpuInfo);

let fast: boolean | undefined;

/** Whether bfloat16 is faster than float32 here: on a processor with instructions for it, and on a GPU, which is taken to have them. */
export function hasFastBfloat16(): boolean {
  if (fast !== undefined) return fast;
  fast = backend().isUsingGpuDevice;
  if (!fast) {
    try { fast = hasBfloat16Instructions(fs.readFileSync('/proc/cpuinfo', 'utf8')); } catch { /* not Linux: unknown, so no */ }
  }
  return fast;
}
