import { tf, type Tensor4D } from '../engine';
import { relu, relu6 } from './activations';
import type { BatchNorm2d, Conv2d } from './conv2d';

/**
 * Convolution without bias, batch norm, and ReLU or ReLU6 if asked for: (B, H, W, in) → (B, H', W', out). In evaluation the norm's scale goes into
 * the kernel where that is the smaller of the two tensors, which saves a pass over the output; gradients flow through either way.
 */
export function convNorm(x: Tensor4D, conv: Conv2d, norm: BatchNorm2d, activation?: 'relu' | 'relu6'): Tensor4D {
  return tf.tidy(() => {
    const y = norm.training ? norm.forward(conv.forward(x)) : evaluate(x, conv, norm);
    if (!activation) return y;
    const active = activation === 'relu' ? relu(y) : relu6(y);
    y.dispose();
    return active;
  });
}

function evaluate(x: Tensor4D, conv: Conv2d, norm: BatchNorm2d): Tensor4D {
  const [batch, height, width] = x.shape, [kernelHeight, kernelWidth, inputs, last] = conv.weight.shape;
  const { scale, shift } = norm.affine();
  const positions = (batch * height * width) / conv.stride ** 2;
  const fold = positions > kernelHeight * kernelWidth * (conv.depthwise ? last : inputs);
  let y: Tensor4D;
  if (fold) {
    const kernel = tf.mul(conv.weight.tensor, conv.depthwise ? tf.reshape(scale, [inputs, last]) : scale) as Tensor4D;
    y = conv.convolve(x, kernel);
    kernel.dispose();
  } else {
    const plain = conv.forward(x);
    y = tf.mul(plain, scale);
    plain.dispose();
  }
  const shifted = tf.add(y, shift) as Tensor4D;
  y.dispose();
  return shifted;
}
