/**
 * Rotary position embedding (Su et al. 2021, https://arxiv.org/abs/2104.09864) as Llama's checkpoints on the hub have it: value i of a
 * head's first half turns with value i of its second half, by the angle position · theta^(−2i/size).
 */
import { customGradient, tf, type Tensor } from '../engine';

/** Cosines and sines of every position, (B or 1, 1, T, size); the sines of the first half negated, so that turning takes no sign. */
export interface RotaryTables { cos: Tensor; sin: Tensor }

/**
 * The tables for queries and keys at `positionIds`; both are the caller's.
 *
 * @param positionIds (B or 1, T) int32
 * @param size of a head; even
 */
export function rotaryTables(positionIds: Tensor, size: number, theta: number): RotaryTables {
  if (size % 2 !== 0) throw new Error(`Rotary positions turn pairs of values: a head of ${size} has an odd one.`);
  const [cos, sin] = tf.tidy(() => {
    // In float32 step by step, as the reference does: at position 8,000 the difference would show.
    const rates = Float32Array.from({ length: size / 2 }, (_, i) => 1 / Math.fround(theta ** Math.fround(2 * i / size)));
    const angles = tf.mul(tf.cast(tf.expandDims(tf.expandDims(positionIds, 1), 3), 'float32'), tf.tensor1d(rates));
    const cos = tf.cos(angles), sin = tf.sin(angles);
    return [tf.concat([cos, cos], 3), tf.concat([tf.neg(sin), sin], 3)];
  });
  return { cos, sin };
}

/** Turns x (B, heads, T, size) by the tables; same shape. */
export function rotate(x: Tensor, { cos, sin }: RotaryTables): Tensor {
  return customGradient([x], (save) => {
    save(cos, sin);
    return tf.add(tf.mul(x, cos), tf.mul(halvesSwapped(x), sin));
  // The inverse of a rotation is the one by the opposite angle.
  }, (dy, [cos, sin]) => [tf.tidy(() => tf.sub(tf.mul(dy, cos), tf.mul(halvesSwapped(dy), sin)))]);
}

/** (…, size): second half first. */
function halvesSwapped(x: Tensor): Tensor {
  const size = x.shape[x.rank - 1];
  return tf.reshape(tf.reverse(tf.reshape(x, [-1, 2, size / 2]), 1), x.shape);
}
