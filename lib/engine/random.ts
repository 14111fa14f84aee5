/**
 * Seeded randomness. `Random` draws numbers in JavaScript (shuffling, sampling, seeds); `randomUniform` and `randomNormal` draw
 * whole tensors by TensorFlow's counter-based generator (Philox), so the same seed gives the same values on any thread count.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { nativeOp } from './native';
import { tf } from './tensorflow';

export { Random } from '../random';

function stateless(op: string, shape: number[], seed: readonly [number, number]): Tensor {
  return tf.tidy(() => nativeOp(op, { dtype: { dtype: 'float32' }, T: { dtype: 'int32' }, Tseed: { dtype: 'int32' } },
    [tf.tensor1d(shape, 'int32'), tf.tensor1d(seed as [number, number], 'int32')])[0]);
}

/** Uniform in [0, 1). */
export const randomUniform = (shape: number[], seed: readonly [number, number]): Tensor => stateless('StatelessRandomUniform', shape, seed);
/** Standard normal. */
export const randomNormal = (shape: number[], seed: readonly [number, number]): Tensor => stateless('StatelessRandomNormal', shape, seed);
