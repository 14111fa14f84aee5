import { Random, randomNormal, randomUniform, tf, type Tensor } from '../engine';
import { reserve } from './construction';

/** Uniform in [-bound, bound]. */
export function uniform(shape: number[], bound: number, random: Random): Tensor {
  reserve(shape);
  return tf.tidy(() => tf.sub(tf.mul(randomUniform(shape, random.seedPair()), 2 * bound), bound));
}

/** Normal with mean 0. */
export function normal(shape: number[], std: number, random: Random): Tensor {
  reserve(shape);
  return tf.tidy(() => tf.mul(randomNormal(shape, random.seedPair()), std));
}

/** He et al. 2015, for ReLU networks: std = √(2 / fan). */
export const heNormal = (shape: number[], fan: number, random: Random): Tensor => normal(shape, Math.sqrt(2 / fan), random);
