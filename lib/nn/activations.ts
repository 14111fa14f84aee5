/**
 * The activations of published transformers, under the names of Hugging Face's `hidden_act` (transformers/activations.py), with gradients of
 * their own in a few passes. GELU is Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415.
 */
import { customGradient, hasOwnKernels, nativeOp, tf, type Tensor } from '../engine';

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

/** The addon's operations for f and for its gradient, which need x alone, in one pass each. */
function inOnePass(x: Tensor, op: string, rates: { a: { float: number }; b: { float: number } } | Record<string, never> = {}): Tensor {
  return customGradient([x], (save) => {
    save(x);
    return nativeOp(op, rates, [x])[0];
  }, (dy, [x]) => nativeOp(`${op}Grad`, rates, [dy, x]));
}

/** `gelu` of TensorFlow's operations, for where the addon's are missing. */
export const composedGelu = (x: Tensor): Tensor => elementwise(x, (x) => {
  const cdf = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
  return { y: tf.mul(x, cdf), kept: cdf };
}, (x, cdf) => tf.add(cdf, tf.mul(x, tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI)))));

/** x·Φ(x), Φ the standard normal distribution function. Any shape. */
export const gelu = (x: Tensor): Tensor => (hasOwnKernels() ? inOnePass(x, 'CaptioningGelu') : composedGelu(x));

/** x·σ(a·x + b·x³) of TensorFlow's operations. */
export const composedGate = (x: Tensor, a: number, b: number): Tensor => elementwise(x, (x) => {
  const gate = tf.sigmoid(b ? tf.mul(x, tf.add(tf.mul(tf.square(x), b), a)) : tf.mul(x, a));
  return { y: tf.mul(x, gate), kept: gate };
}, (x, gate) => {
  const slope = b ? tf.mul(x, tf.add(tf.mul(tf.square(x), 3 * b), a)) : tf.mul(x, a);
  return tf.mul(gate, tf.add(tf.mul(slope, tf.sub(1, gate)), 1));
});

/** x·σ(a·x + b·x³). Any shape. */
const sigmoidGated = (x: Tensor, a: number, b = 0): Tensor =>
  (hasOwnKernels() ? inOnePass(x, 'CaptioningSigmoidGated', { a: { float: a }, b: { float: b } }) : composedGate(x, a, b));

const slope = Math.sqrt(2 / Math.PI), cubic = 0.044715;

/** ½x·(1 + tanh(u)) with u = √(2/π)·(x + 0.044715x³), computed as x·σ(2u): the same, cheaper, and exact where tanh has saturated. Any shape. */
export const geluTanh = (x: Tensor): Tensor => sigmoidGated(x, 2 * slope, 2 * slope * cubic);
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
