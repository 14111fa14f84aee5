import { customGradient, hasOwnKernels, nativeOp, tf, type Tensor, type Tensor2D } from '../engine';
import { Module, Parameter } from './module';

/**
 * Layer normalisation over the last axis (Ba et al. 2016, https://arxiv.org/abs/1607.06450) with torch.nn.LayerNorm's names: biased
 * variance, epsilon inside the root. The epsilon belongs to the checkpoint (1e-12 for BERT and ViT, 1e-5 for GPT-2, 1e-6 for DeiT-III).
 */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(readonly size: number, readonly epsilon = 1e-5) {
    super();
    this.weight = new Parameter(tf.ones([size]));
    this.bias = new Parameter(tf.zeros([size]));
  }

  /** (…, size) → (…, size) */
  forward(x: Tensor): Tensor {
    if (x.shape[x.rank - 1] !== this.size) throw new Error(`LayerNorm over ${this.size} values got an input of shape [${x.shape}].`);
    return layerNorm(x, this.weight.tensor, this.bias.tensor, this.epsilon);
  }
}

/** (x − mean) / √(variance + epsilon) · weight + bias over the last axis; weight and bias (size). */
export const layerNorm = (x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor =>
  (hasOwnKernels() ? inOnePass(x, weight, bias, epsilon) : composedLayerNorm(x, weight, bias, epsilon));

/** By the addon's operations. */
function inOnePass(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  return customGradient([x, weight, bias], (save) => {
    const [y, mean, scale] = nativeOp('CaptioningLayerNorm', { a: { float: epsilon } }, [x, weight, bias], 3);
    save(x, weight, mean, scale);
    return y;
  }, (dy, [x, weight, mean, scale]) => nativeOp('CaptioningLayerNormGrad', {}, [dy, x, weight, mean, scale], 3));
}

/** Of TensorFlow's operations, for where the addon's are missing. */
export function composedLayerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  const size = weight.size, { shape } = x;
  return customGradient([x, weight, bias], (save) => {
    const rows = tf.reshape(x, [-1, size]);
    const centered = tf.sub(rows, tf.mean(rows, 1, true));
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centered), 1, true), epsilon));
    const normalized = tf.mul(centered, scale);
    save(normalized, scale, weight);
    return tf.reshape(tf.add(tf.mul(normalized, weight), bias), shape);
  }, (dy, [normalized, scale, weight]) => tf.tidy(() => {
    const rows = tf.reshape(dy, [-1, size]) as Tensor2D;
    const column = tf.reshape(weight, [size, 1]) as Tensor2D;
    const product = tf.mul(rows, normalized) as Tensor2D;
    // With g = dy · weight, the row means of g and of g · normalized are products with the weight: no pass over (rows, size) is spent on them.
    const meanG = tf.div(tf.matMul(rows, column), size);
    const meanGN = tf.div(tf.matMul(product, column), size);
    const dx = tf.mul(scale, tf.sub(tf.sub(tf.mul(rows, weight), meanG), tf.mul(normalized, meanGN)));
    return [tf.reshape(dx, shape), tf.sum(product, 0), tf.sum(rows, 0)];
  }));
}
