import { customGradient, nativeOp, tf, type Tensor, type Tensor1D } from '../engine';

const scatter = (base: Tensor, at: Tensor, rows: Tensor): Tensor =>
  nativeOp('TensorScatterUpdate', { T: { dtype: 'float32' }, Tindices: { dtype: 'int32' } }, [base, tf.reshape(at, [-1, 1]), rows])[0];

/**
 * A table with some of its rows replaced by others; each place at most once.
 *
 * @param table (n, width)
 * @param rows (m, width)
 * @param at (m) int32: where in the table each row goes
 */
export function replaceRows(table: Tensor, rows: Tensor, at: Tensor1D): Tensor {
  return customGradient([table, rows], (save) => {
    save(at);
    return scatter(table, at, rows);
  }, (dy, [at]) => tf.tidy(() => [scatter(dy, at, tf.zeros([at.size, dy.shape[1]!])), tf.gather(dy, at as Tensor1D)]));
}
