import { customGradient, tf, type Tensor, type Tensor2D } from '../engine';
import { Module, Parameter } from './module';

/**
 * Root mean square normalisation over the last axis (Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467) with the name of
 * transformers' LlamaRMSNorm: no mean is subtracted, there is no bias, the epsilon stands inside the root.
 */
export class RMSNorm extends Module {
  readonly weight: Parameter;

  constructor(readonly size: number, readonly epsilon = 1e-6) {
    super();
    this.weight = new Parameter(tf.ones([size]));
  }

  /** (…, size) → (…, size) */
  forward(x: Tensor): Tensor {
    if (x.shape[x.rank - 1] !== this.size) throw new Error(`RMSNorm over ${this.size} values got an input of shape [${x.shape}].`);
    return rmsNorm(x, this.weight.tensor, this.epsilon);
  }
}

/** x / √(mean(x²) + epsilon) · weight over the last axis; weight (size). */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  const size = weight.size, { shape } = x;
  return customGradient([x, weight], (save) => {
    const rows = tf.reshape(x, [-1, size]);
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(rows), 1, true), epsilon));
    const normalized = tf.mul(rows, scale);
    save(normalized, scale, weight);
    return tf.reshape(tf.mul(normalized, weight), shape);
  }, (dy, [normalized, scale, weight]) => tf.tidy(() => {
    const rows = tf.reshape(dy, [-1, size]) as Tensor2D;
    const product = tf.mul(rows, normalized) as Tensor2D;
    // As in layer normalisation, the row means of (dy · weight) · normalized are a product with the weight.
    const mean = tf.div(tf.matMul(product, tf.reshape(weight, [size, 1]) as Tensor2D), size);
    const dx = tf.mul(scale, tf.sub(tf.mul(rows, weight), tf.mul(normalized, mean)));
    return [tf.reshape(dx, shape), tf.sum(product, 0)];
  }));
}
