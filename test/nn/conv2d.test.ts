import assert from 'node:assert/strict';
import { Random, tensorCount, tf, valueAndGradients, type Scalar, type Tensor4D } from '../../lib/engine';
import { BatchNorm2d, Conv2d } from '../../lib/nn';
import { closeTo } from '../close-to';

const input = () => tf.randomNormal([3, 4, 5, 6], 1.5, 2, 'float32', 7) as Tensor4D;

describe('BatchNorm2d', () => {
  it('normalises by the batch in training, with the composed form\'s output and gradients', () => {
    const norm = new BatchNorm2d(6, 1e-3).train() as BatchNorm2d;
    norm.weight.assign(tf.linspace(0.5, 2, 6));
    norm.bias.assign(tf.linspace(-1, 1, 6));
    const x = input(), weights = tf.randomNormal(x.shape, 0, 1, 'float32', 3);
    const inputs = [x, norm.weight.tensor, norm.bias.tensor];
    const composed = () => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3))), norm.weight.tensor), norm.bias.tensor);
    };
    const ours = valueAndGradients(() => tf.tidy(() => tf.sum(tf.mul(norm.forward(x), weights)) as Scalar), inputs);
    const theirs = valueAndGradients(() => tf.tidy(() => tf.sum(tf.mul(composed(), weights)) as Scalar), inputs);
    closeTo(ours.value.dataSync(), theirs.value.dataSync(), 1e-5);
    for (const i of inputs.keys()) closeTo(ours.gradients[i]!.dataSync(), theirs.gradients[i]!.dataSync(), 1e-5, `gradient ${i}`);
  });

  it('moves the running statistics by PyTorch\'s rule: momentum 0.1, unbiased variance', () => {
    const norm = new BatchNorm2d(6).train() as BatchNorm2d;
    const x = input();
    norm.forward(x).dispose();
    const count = 3 * 4 * 5, { mean, variance } = tf.moments(x, [0, 1, 2]);
    closeTo(norm.running_mean.tensor.dataSync(), tf.mul(mean, 0.1).dataSync(), 1e-6);
    closeTo(norm.running_var.tensor.dataSync(), tf.add(0.9, tf.mul(variance, (0.1 * count) / (count - 1))).dataSync(), 1e-5);
  });

  it('uses the running statistics in evaluation and leaves them alone', () => {
    const norm = new BatchNorm2d(6, 1e-5);
    norm.running_mean.assign(tf.linspace(-1, 1, 6));
    norm.running_var.assign(tf.linspace(0.5, 3, 6));
    const x = input(), before = tensorCount();
    const y = norm.forward(x);
    const expected = tf.tidy(() => tf.div(tf.sub(x, norm.running_mean.tensor), tf.sqrt(tf.add(norm.running_var.tensor, 1e-5))));
    closeTo(y.dataSync(), expected.dataSync(), 1e-5);
    tf.dispose([y, expected]);
    assert.equal(tensorCount(), before);
  });
});

describe('Conv2d', () => {
  it('pads like PyTorch with a number and like TensorFlow with same: they differ at stride 2', () => {
    const conv = (padding: 'same' | number) => {
      const layer = new Conv2d(1, 1, new Random(1), { kernelSize: 3, stride: 2, padding });
      layer.weight.assign(tf.ones([3, 3, 1, 1]));
      return Array.from(layer.forward(tf.ones([1, 4, 4, 1])).dataSync());
    };
    assert.deepEqual(conv(1), [4, 6, 6, 9]);
    assert.deepEqual(conv('same'), [9, 6, 6, 4]);
  });

  it('pads by numbers as by hand, for kernels, strides and sizes where TensorFlow\'s padding is the same and where it is not', () => {
    for (const kernelSize of [3, 7, [1, 7], [7, 1], [3, 1]] as const) {
      const [h, w] = typeof kernelSize === 'number' ? [kernelSize, kernelSize] : kernelSize;
      for (const padding of [[(h - 1) / 2, (w - 1) / 2], [1, 2], [0, 0]] as const) {
        for (const [stride, height, width] of [[1, 9, 8], [2, 9, 9], [2, 8, 8], [2, 9, 8]]) {
          const layer = new Conv2d(2, 3, new Random(1), { kernelSize, stride, padding }), x = tf.randomNormal([2, height, width, 2]) as Tensor4D;
          const y = layer.forward(x);
          const byHand = tf.conv2d(tf.pad(x, [[0, 0], [padding[0], padding[0]], [padding[1], padding[1]], [0, 0]]), layer.weight.tensor as Tensor4D, stride, 'valid');
          assert.deepEqual(y.shape, byHand.shape);
          closeTo(y.dataSync(), byHand.dataSync(), 1e-5, `${kernelSize} ${padding} ${stride} ${height}×${width}`);
        }
      }
    }
  });

  it('refuses a depthwise convolution that changes the number of channels', () => {
    assert.throws(() => new Conv2d(3, 4, new Random(1), { kernelSize: 3, depthwise: true }), /3 in, 4 out/);
  });

  it('keeps checkpoint layouts: OIHW and depthwise kernels survive save and load', () => {
    for (const depthwise of [false, true]) {
      const layer = new Conv2d(4, 4, new Random(5), { kernelSize: 3, depthwise });
      const saved = layer.weight.save(), values = layer.weight.tensor.dataSync().slice();
      assert.deepEqual(layer.weight.checkpointShape, depthwise ? [4, 1, 3, 3] : [4, 4, 3, 3]);
      layer.weight.load(saved);
      assert.deepEqual(layer.weight.tensor.dataSync(), values);
    }
  });
});
