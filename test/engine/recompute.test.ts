import assert from 'node:assert/strict';
import { GraphFunction, matMul, Random, randomNormal, randomUniform, recomputed, tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { closeTo } from '../close-to';

describe('recomputed', () => {
  const weights = [1, 2, 3].map((seed) => randomNormal([6, 6], [seed, 0])), aside = tf.ones([2]);
  /** Three layers with dropout, each computed again for its gradient or not; an outer one around two of them. */
  const loss = (x: Tensor, random: Random, isRecomputed: boolean): Scalar => tf.tidy(() => {
    const layer = (weight: Tensor) => (y: Tensor): Tensor => tf.tidy(() => {
      const mask = tf.cast(tf.greaterEqual(randomUniform(y.shape, () => random.seedPair()), 0.3), 'float32');
      return tf.add(y, tf.mul(tf.tanh(matMul(y, weight)), mask));
    });
    const run = (fn: (y: Tensor) => Tensor, y: Tensor, parameters: Tensor[]): Tensor => (isRecomputed ? recomputed(fn, y, parameters) : fn(y));
    const [first, second, third] = weights.map((weight) => (y: Tensor) => run(layer(weight), y, [weight]));
    return tf.mean(tf.square(third(run((y) => second(first(y)), x, [weights[0], weights[1]])))) as Scalar;
  });
  const run = (x: Tensor, random: Random, isRecomputed: boolean): (Tensor | null)[] => {
    const { value, gradients } = valueAndGradients(() => loss(x, random, isRecomputed), [x, ...weights, aside]);
    return [value, ...gradients];
  };
  const numbers = (tensors: readonly (Tensor | null)[]): number[] => tensors.flatMap((tensor) => (tensor ? [...tensor.dataSync()] : [NaN]));
  after(() => tf.dispose([weights, aside]));

  it('gives the same loss and gradients, dropout and what comes after included, as a graph and without one', () => {
    const x = randomNormal([4, 6], [9, 0]), before = tensorCount();
    const graphs = [false, true].map((isRecomputed) => ({ random: new Random(5), isRecomputed }))
      .map(({ random, isRecomputed }) => new GraphFunction<{ x: Tensor }>(({ x: given }) => run(given, random, isRecomputed), () => [...weights, aside]));
    const eager = [new Random(5), new Random(5)];
    for (let step = 0; step < 3; step++) {
      const all = [run(x, eager[0], false), run(x, eager[1], true), ...graphs.map((graph) => graph.run({ x }))];
      const [plain, ...others] = all.map(numbers);
      assert.ok(Number.isNaN(plain[plain.length - 1]), 'nothing for a tensor that is not touched');
      for (const other of others) closeTo(other.slice(0, -1), plain.slice(0, -1), 1e-5);
      tf.dispose(all as never);
    }
    assert.deepEqual(graphs.map(({ obstacle }) => obstacle), [undefined, undefined]);
    for (const graph of graphs) graph.dispose();
    assert.equal(tensorCount(), before);
    x.dispose();
  });

  it('leaves nothing behind when the function fails, at first or the second time', () => {
    const x = tf.ones([2, 2]), before = tensorCount();
    for (const failing of [1, 2]) {
      let calls = 0, repeats = 0;
      const fn = (y: Tensor): Tensor => {
        const noisy = tf.mul(y, randomUniform(y.shape, () => [1, ++calls]));
        if (calls === failing || (failing === 2 && ++repeats === 2)) throw new Error('stopped');
        return noisy;
      };
      assert.throws(() => valueAndGradients(() => tf.sum(recomputed(fn, x, [])) as Scalar, [x]), /stopped/);
      assert.equal(tensorCount(), before);
    }
    x.dispose();
  });
});
