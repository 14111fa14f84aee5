/** Products of tensors, in the precision of the scope they stand in (`withPrecision`). */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { hasFastBfloat16, narrow, roundToBfloat16, widen } from './bfloat16';
import { customGradient } from './gradients';
import { backend, hasOwnKernels, nativeOp } from './native';
import { currentPrecision } from './precision';
import { tf } from './tensorflow';

type Product = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean) => Tensor;

/** Up to so many rows the addon's own product is faster than TensorFlow's, where the matrix has at least so many values. */
const FEW_ROWS = 8, LARGE_MATRIX = 2 ** 16;

const float32Product: Product = (a, b, transposeA, transposeB) => {
  const isFewRows = a.rank === 2 && !transposeA && a.shape[0]! <= FEW_ROWS && b.size >= LARGE_MATRIX
    && a.shape[1] === b.shape[transposeB ? 1 : 0] && hasOwnKernels();
  return isFewRows ? fewRows(a, b, transposeB) : tf.matMul(a as never, b as never, transposeA, transposeB);
};

/** a (n, k) · b (k, m), or (m, k) to be transposed, by the addon's operation, which reads b once and in its own order. */
function fewRows(a: Tensor, b: Tensor, transposed: boolean): Tensor {
  return customGradient([a, b], (save) => {
    save(a, b);
    return nativeOp(transposed ? 'CaptioningFewRowsTransposed' : 'CaptioningFewRows', {}, [a, b])[0];
  }, (dy, [a, b]) => [float32Product(dy, b, false, !transposed), float32Product(transposed ? dy : a, transposed ? a : dy, true, false)]);
}

/** By TensorFlow's bfloat16 kernel. All three are bfloat16. */
export const nativeProduct: Product = (a, b, transposeA, transposeB) =>
  nativeOp('BatchMatMulV2', { T: { dtype: 'bfloat16' }, adj_x: { bool: transposeA }, adj_y: { bool: transposeB } }, [a, b])[0];

/**
 * The same by the float32 kernel: what processors with bfloat16 instructions compute. Without them TensorFlow's bfloat16 kernels
 * round partial sums too (off by 4 times as much in a product over 2048), and are hardly faster.
 */
export const emulatedProduct: Product = (a, b, transposeA, transposeB) =>
  tf.tidy(() => narrow(float32Product(widen(a), widen(b), transposeA, transposeB)));

/** A product of float32 matrices in bfloat16. Factors are kept for the way back in bfloat16, half the memory of float32. */
export function bfloat16MatMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean, product: Product): Tensor {
  return customGradient([a, b], (save) => {
    const [x, y] = [narrow(a), narrow(b)];
    const value = widen(product(x, y, transposeA, transposeB));
    save(x, y); // last: what is saved before a throw stays
    return value;
  }, (dy, [a, b]) => tf.tidy(() => {
    const g = narrow(dy);
    return [
      widen(transposeA ? product(b, g, transposeB, true) : product(g, b, false, !transposeB)),
      widen(transposeB ? product(g, a, true, transposeA) : product(a, g, !transposeA, false)),
    ];
  }));
}

/**
 * a·b over the last two axes, in the scope's precision; a (…, n, k), or (…, k, n) to be transposed, and b (…, k, m) or (…, m, k)
 * likewise.
 *
 * @returns (…, n, m), float32
 * @throws Error if the axes before the last two differ: nothing is broadcast
 */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  if (a.rank < 2 || a.rank !== b.rank || a.shape.slice(0, -2).some((size, axis) => size !== b.shape[axis])) {
    throw new Error(`matMul of shapes [${a.shape}] and [${b.shape}]: expected matrices, as many of one as of the other.`);
  }
  if (currentPrecision() === 'float32') return float32Product(a, b, transposeA, transposeB);
  return bfloat16MatMul(a, b, transposeA, transposeB, hasFastBfloat16() ? nativeProduct : emulatedProduct);
}

/**
 * A function that multiplies rows (n, k) by this matrix (k, m), for a loop that does so again and again. Where the matrix' rows lie a
 * multiple of 2 KB apart, they fight for the same places of a processor's cache while a product packs them: with 16 columns more,
 * which one copy adds, few rows are multiplied in half the time. Call it inside tf.tidy, which disposes the copy; no gradient goes through.
 */
export function repeatedProduct(matrix: Tensor): (rows: Tensor) => Tensor {
  const [, columns] = matrix.shape;
  if (columns! % 512 !== 0 || backend().isUsingGpuDevice) return (rows) => matMul(rows, matrix);
  const padded = tf.pad(matrix, [[0, 0], [0, 16]]);
  return (rows) => tf.tidy(() => tf.slice(matMul(rows, padded), [0, 0], [rows.shape[0], columns!]));
}

/**
 * `product` in the scope's precision, by its float32 kernel and with its own gradient: in bfloat16 the factors, the result and all their
 * gradients are rounded. For convolutions, whose bfloat16 kernels are slow and coarse on processors: with partial sums rounded a depthwise
 * kernel's gradient is off by 5 %.
 */
export function inPrecision<T extends Tensor>(factors: readonly T[], product: (...factors: T[]) => T): T {
  if (currentPrecision() === 'float32') return product(...factors);
  return tf.tidy(() => roundToBfloat16(product(...factors.map((factor) => roundToBfloat16(factor) as T))) as T);
}
