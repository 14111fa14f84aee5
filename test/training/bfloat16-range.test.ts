import assert from 'node:assert/strict';
import { matMul, Random, tensorCount, tf, valueAndGradients, withPrecision, type Scalar, type Tensor } from '../../lib/engine';
import { Linear, Module } from '../../lib/nn';
import { train } from '../../lib/training';

/** One weight, which the loss pulls by a constant. */
class Slope extends Module {
  readonly layer = new Linear(1, 1, new Random(1), { bias: false });
}

describe('bfloat16 has the range of float32', () => {
  // Of float16 the largest number is 65,504 and the smallest 6e-8, which is why its losses are scaled.
  for (const size of [1e30, 1e5, 1e-9, 1e-30]) {
    it(`products and gradients of the size of ${size} neither overflow nor vanish, so the loss needs no scale`, () => {
      const before = tensorCount(), x = tf.fill([4, 8], size), weight = tf.ones([2, 8]);
      const loss = (): Scalar => tf.tidy(() => withPrecision('bfloat16', () => tf.sum(matMul(x, weight, false, true)) as Scalar));
      const { value, gradients } = valueAndGradients(loss, [weight, x]);
      const [toWeight, toX] = gradients.map((gradient) => (gradient as Tensor).dataSync());
      const near = (actual: number, expected: number): void =>
        assert.ok(Math.abs(actual / expected - 1) < 0.01, `${actual} instead of ${expected}`);
      near(value.dataSync()[0], 4 * 2 * 8 * size);
      for (const each of toWeight) near(each, 4 * size);
      for (const each of toX) near(each, 2);
      tf.dispose([x, weight, value, ...gradients as Tensor[]]);
      assert.equal(tensorCount(), before);
    });
  }

  it('weights are float32 and keep updates far below bfloat16\'s steps', async () => {
    const model = new Slope(), start = 1, learningRate = 1e-5, steps = 50;
    model.layer.weight.assign(tf.fill([1, 1], start));
    await train({
      model, random: new Random(1), epochs: 1, optimizer: { learningRate }, precision: 'bfloat16',
      batches: { stepsPerEpoch: steps, order: () => new Uint32Array(steps), batch: () => ({ x: tf.ones([1, 1]) }) },
      loss: ({ x }) => tf.tidy(() => tf.sum(model.layer.forward(x)) as Scalar),
    });
    const [weight] = model.layer.weight.save();
    // Adam's steps are of the size of the rate; bfloat16 has nothing between 1 and 1 − 2⁻⁸.
    assert.ok(Math.abs(weight - (start - steps * learningRate)) < learningRate, `${weight}`);
    model.dispose();
  });
});
