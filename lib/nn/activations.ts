/**
 * The activations of published transformers, under the names of Hugging Face's `hidden_act` (transformers/activations.py), with gradients of
 * their own in a few passes. GELU is Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415.
 */
import { customGradient, nativeOp, tf, type Tensor } from '../engine';

/** gelu: exact, x·Φ(x). gelu_new and gelu_pytorch_tanh: the tanh approximation. quick_gelu: x·σ(1.702 x), CLIP's. */
export type Activation = 'gelu' | 'gelu_new' | 'gelu_pytorch_tanh' | 'quick_gelu' | 'relu' | 'silu' | 'tanh';

/** An activation f and its derivative, both from x and what the forward pass kept. */
function elementwise(x: Tensor, forward: (x: Tensor) => { y: Tensor; kept: Tensor }, derivative: (x: Tensor, kept: Tensor) => Tensor): Tensor {
  return customGradient([x], (save) => {
    const { y, kept } = forward(x);
    save(x, kept);
    return y;
  }, (dy, [x, kept]) => [tf.tidy(() => tf.mul(dy, derivative(x, kept)))]);
}

/** x·Φ(x), Φ the standard normal distribution function. Any shape. */
export const gelu = (x: Tensor): Tensor => elementwise(x, (x) => {
  const cdf = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
  return { y: tf.mul(x, cdf), kept: cdf };
}, (x, cdf) => tf.add(cdf, tf.mul(x, tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI)))));

const slope = Math.sqrt(2 / Math.PI), cubic = 0.044715;

/** ½x·(1 + tanh(u)) with u = √(2/π)·(x + 0.044715x³), computed as x·σ(2u): the same, cheaper, and exact where tanh has saturated. Any shape. */
export const geluTanh = (x: Tensor): Tensor => elementwise(x, (x) => {
  const gate = tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), 2 * slope * cubic), 2 * slope)));
  return { y: tf.mul(x, gate), kept: gate };
}, (x, gate) => {
  const dInner = tf.add(tf.mul(tf.square(x), 6 * slope * cubic), 2 * slope);
  return tf.mul(gate, tf.add(tf.mul(tf.mul(x, dInner), tf.sub(1, gate)), 1));
});

const sigmoidGated = (x: Tensor, rate: number): Tensor => elementwise(x, (x) => {
  const gate = tf.sigmoid(rate === 1 ? x : tf.mul(x, rate));
  return { y: tf.mul(x, gate), kept: gate };
}, (x, gate) => tf.mul(gate, tf.add(tf.mul(tf.mul(x, rate), tf.sub(1, gate)), 1)));

/** x·σ(1.702x). Any shape. */
export const quickGelu = (x: Tensor): Tensor => sigmoidGated(x, 1.702);
/** x·σ(x). Any shape. */
export const silu = (x: Tensor): Tensor => sigmoidGated(x, 1);

/** TensorFlow's own kernel for the gradient, which takes the output for the input: one pass where tfjs makes seven. */
const rectified = (x: Tensor, forward: (x: Tensor) => Tensor, gradientOp: string): Tensor => customGradient([x], (save) => {
  const y = forward(x);
  save(y);
  return y;
}, (dy, [y]) => nativeOp(gradientOp, { T: { dtype: 'float32' } }, [dy, y]));

/** max(x, 0). Any shape. */
export const relu = <T extends Tensor>(x: T): T => rectified(x, (x) => tf.relu(x), 'ReluGrad') as T;
/** min(max(x, 0), 6). Any shape. */
export const relu6 = <T extends Tensor>(x: T): T => rectified(x, (x) => tf.relu6(x), 'Relu6Grad') as T;

const functions: Record<Activation, (x: Tensor) => Tensor> = {
  gelu, gelu_new: geluTanh, gelu_pytorch_tanh: geluTanh, quick_gelu: quickGelu, relu, silu, tanh: (x) => tf.tanh(x),
};

/** Names that `activation` knows, for checks of config files. */
export const activationNames = Object.keys(functions) as [Activation, ...Activation[]];

/** The function of a name in config.json. */
export function activation(name: Activation): (x: Tensor) => Tensor {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!found) throw new Error(`Unknown activation "${name}": expected one of ${activationNames.join(', ')}.`);
  return found;
}
