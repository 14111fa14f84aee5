import assert from 'node:assert/strict';
import { crossEntropy, tensorCount, tf, valueAndGradients, type Scalar, type Tensor, type Tensor1D, type Tensor2D } from '../../lib/engine';
import { Linear } from '../../lib/nn';
import { Random } from '../../lib/engine';
import { Adam, linearWithWarmup } from '../../lib/training';
import { GradientSum, gradientNorm } from '../../lib/training/gradients';
import { Update } from '../../lib/training/update';
import { closeTo } from '../close-to';
import { formulaValues } from '../formula';
import fixture from '../fixtures/training/steps.json';

describe('gradients of an update', () => {
  it('adds up over batches, also those that only some batches touch, and leaves no tensor behind', () => {
    const before = tensorCount();
    const sum = new GradientSum();
    sum.add([tf.tensor1d([1, 2]), null, null, tf.scalar(5)]);
    sum.add([tf.tensor1d([10, 20]), tf.scalar(1), null, null]);
    sum.add([tf.tensor1d([100, 200]), tf.scalar(2), null, tf.scalar(6)]);
    const values = sum.take();
    assert.deepEqual(values.map((value) => value && Array.from(value.dataSync())), [[111, 222], [3], null, [11]]);
    tf.dispose(values.filter((value) => value !== null) as Tensor[]);
    assert.deepEqual(sum.take(), [], 'nothing is left for the next update');
    sum.add([tf.scalar(1)]);
    sum.add([tf.scalar(1)]);
    sum.dispose();
    assert.equal(tensorCount(), before);
  });

  it('has one norm over all tensors', () => {
    closeTo(gradientNorm([tf.tensor2d([[3, 0], [0, 4]]), null, tf.scalar(12)]).dataSync(), [13], 1e-6);
    assert.equal(gradientNorm([null]).dataSync()[0], 0);
  });

  for (const { maxNorm, norms, weight, bias } of fixture.clipped) {
    it(`AdamW, linear schedule and clipping at ${maxNorm} give torch's weights after six steps`, () => {
      const layer = new Linear(3, 2, new Random(1));
      for (const [name, parameter] of layer.namedParameters()) parameter.load(formulaValues(name, parameter.checkpointShape));
      const before = tensorCount();
      const optimizer = new Adam(layer.parameters(), { learningRate: 0.05, weightDecay: 0.01 });
      const update = new Update<Tensor>(optimizer, {
        loss: (x) => tf.tidy(() => tf.mean(tf.squaredDifference(layer.forward(x), tf.mul(tf.slice(x, [0, 0], [4, 2]), 2))) as Scalar),
        weight: () => 1, maxGradNorm: maxNorm,
      });
      const schedule = linearWithWarmup(2);
      const seen = norms.map((_, step) => {
        const x = tf.tensor2d(formulaValues(`x${step}`, [4, 3]).map((value) => value * 3), [4, 3]);
        update.add(x);
        x.dispose();
        optimizer.learningRate = 0.05 * schedule(step, 6);
        return update.apply().gradientNorm!;
      });
      closeTo(seen, norms, 1e-5);
      closeTo(layer.weight.save(), weight, 1e-5);
      closeTo(layer.bias!.save(), bias, 1e-5);
      optimizer.dispose();
      assert.equal(tensorCount(), before);
      layer.dispose();
    });
  }
});

describe('linearWithWarmup', () => {
  for (const { warmup, steps, factors } of fixture.schedules) {
    it(`gives transformers' factors for ${steps} steps, ${warmup} of them warmup`, () => {
      closeTo(factors.map((_, step) => linearWithWarmup(warmup)(step, steps)), factors, 1e-9);
    });
  }
});

describe('crossEntropy with smoothed labels', () => {
  for (const { rows, classes, smoothing, labels, loss, gradient } of fixture.smoothed) {
    it(`gives torch's loss and gradient for ${smoothing} over ${classes} classes`, () => {
      const logits = tf.tensor2d(formulaValues('logits', [rows, classes]).map((value) => value * 4), [rows, classes]);
      const { value, gradients } = valueAndGradients(
        () => crossEntropy(logits as Tensor2D, tf.tensor1d(labels, 'int32') as Tensor1D, -100, smoothing), [logits]);
      closeTo(value.dataSync(), [loss], 1e-6);
      closeTo(gradients[0]!.dataSync(), gradient, 1e-6);
    });
  }
});
