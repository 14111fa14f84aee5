/**
 * Seeded randomness. `Random` draws numbers in JavaScript (shuffling, sampling, seeds); `randomUniform` and `randomNormal` draw
 * whole tensors by TensorFlow's counter-based generator (Philox), so the same seed gives the same values on any thread count.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { nativeOp } from './native';
import { drawSeed } from './recording';
import { tf } from './tensorflow';

export { Random } from '../random';

/** Two whole numbers, or what draws them: then a graph (`GraphFunction`) draws anew every time it runs. */
export type Seed = readonly [number, number] | (() => readonly [number, number]);

function stateless(op: string, shape: number[], seed: Seed): Tensor {
  const toTensor = (pair: readonly [number, number]): Tensor => tf.tensor1d([...pair], 'int32');
  return tf.tidy(() => nativeOp(op, { dtype: { dtype: 'float32' }, T: { dtype: 'int32' }, Tseed: { dtype: 'int32' } },
    [tf.tensor1d(shape, 'int32'), typeof seed === 'function' ? drawSeed(seed, toTensor) : toTensor(seed)])[0]);
}

/** Uniform in [0, 1). */
export const randomUniform = (shape: number[], seed: Seed): Tensor => stateless('StatelessRandomUniform', shape, seed);
/** Standard normal. */
export const randomNormal = (shape: number[], seed: Seed): Tensor => stateless('StatelessRandomNormal', shape, seed);
