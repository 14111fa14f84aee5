import assert from 'node:assert/strict';
import { Random, tensorCount, tf, valueAndGradients, type Scalar, type Tensor4D } from '../../lib/engine';
import { BatchNorm2d, Conv2d, convNorm } from '../../lib/nn';
import { relativeTo } from '../relative-to';

const composed = (x: Tensor4D, conv: Conv2d, norm: BatchNorm2d): Tensor4D => tf.tidy(() => norm.forward(conv.forward(x)));

describe('convNorm', () => {
  // Large pictures fold the norm into the kernel, small ones do not.
  for (const [what, size, depthwise, training] of [
    ['folded', 16, false, false], ['not folded', 3, false, false], ['depthwise', 8, true, false], ['in training', 8, false, true],
  ] as const) {
    it(`equals convolution, norm and ReLU one after another, gradients too: ${what}`, () => {
      const before = tensorCount();
      const random = new Random(3), outChannels = depthwise ? 8 : 5;
      const conv = new Conv2d(8, outChannels, random, { kernelSize: [3, 1], padding: [1, 0], depthwise }), norm = new BatchNorm2d(outChannels, 1e-3);
      norm.weight.assign(tf.linspace(-0.5, 2, outChannels));
      norm.bias.assign(tf.linspace(-1, 1, outChannels));
      norm.running_mean.assign(tf.linspace(-1, 0.5, outChannels));
      norm.running_var.assign(tf.linspace(0.2, 3, outChannels));
      norm.train(training);
      const x = tf.randomNormal([2, size, size, 8], 0, 1, 'float32', 5) as Tensor4D;
      const inputs = [x, conv.weight.tensor, norm.weight.tensor, norm.bias.tensor];
      for (const activation of [undefined, 'relu', 'relu6'] as const) {
        const plain = () => { const y = composed(x, conv, norm); return activation === undefined ? y : activation === 'relu' ? tf.relu(y) : tf.relu6(y); };
        const [ours, theirs] = [() => convNorm(x, conv, norm, activation), plain].map((f) => {
          const y = tf.tidy(f);
          return { y, ...valueAndGradients(() => tf.tidy(() => tf.sum(tf.square(f()))) as Scalar, inputs) };
        });
        relativeTo(ours.y.dataSync(), theirs.y.dataSync(), 1e-5, 'output');
        for (const i of inputs.keys()) relativeTo(ours.gradients[i]!.dataSync(), theirs.gradients[i]!.dataSync(), 1e-4, `gradient ${i}`);
        for (const { y, value, gradients } of [ours, theirs]) tf.dispose([y, value, ...gradients] as never);
      }
      x.dispose();
      conv.dispose();
      norm.dispose();
      assert.equal(tensorCount(), before);
    });
  }
});
