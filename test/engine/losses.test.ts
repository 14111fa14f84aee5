import assert from 'node:assert/strict';
import { binaryCrossEntropy, crossEntropy, Random, randomNormal, randomUniform, tensorCount, tf, valueAndGradients, type Scalar, type Tensor, type Tensor1D, type Tensor2D } from '../../lib/engine';
import { closeTo } from '../close-to';

/** Numeric gradient of f at x by central differences. */
function numeric(f: (x: Tensor) => Scalar, x: Tensor, step = 1e-2): number[] {
  const values = x.dataSync();
  return Array.from(values, (_, i) => {
    const at = (delta: number) => tf.tidy(() => f(tf.tensor(Float32Array.from(values, (v, j) => (i === j ? v + delta : v)), x.shape)).dataSync()[0]);
    return (at(step) - at(-step)) / (2 * step);
  });
}

describe('crossEntropy', () => {
  const logits = tf.tensor2d([[1, 2, 0.5], [0, -1, 3], [2, 2, 2], [5, 0, 0]]), labels = tf.tensor1d([1, -100, 2, 0], 'int32') as Tensor1D;

  it('is the mean of −log softmax over the rows that count', () => {
    const logSoftmax = tf.logSoftmax(logits).arraySync() as number[][];
    closeTo(crossEntropy(logits, labels).dataSync(), [-(logSoftmax[0][1] + logSoftmax[2][2] + logSoftmax[3][0]) / 3], 1e-6);
  });

  it('has the numeric gradient, zero in ignored rows', () => {
    const { gradients: [gradient] } = valueAndGradients(() => crossEntropy(logits, labels), [logits]);
    closeTo(gradient!.dataSync(), numeric((x) => crossEntropy(x as Tensor2D, labels), logits), 1e-3);
    closeTo((gradient!.arraySync() as number[][])[1], [0, 0, 0], 0);
  });

  it('smooths labels: part of the target is spread over all classes', () => {
    const logSoftmax = tf.logSoftmax(logits).arraySync() as number[][], smoothing = 0.3;
    const row = (i: number, label: number) => -(1 - smoothing) * logSoftmax[i][label] - smoothing / 3 * logSoftmax[i].reduce((sum, v) => sum + v, 0);
    closeTo(crossEntropy(logits, labels, -100, smoothing).dataSync(), [(row(0, 1) + row(2, 2) + row(3, 0)) / 3], 1e-6);
    const { gradients: [gradient] } = valueAndGradients(() => crossEntropy(logits, labels, -100, smoothing), [logits]);
    closeTo(gradient!.dataSync(), numeric((x) => crossEntropy(x as Tensor2D, labels, -100, smoothing), logits), 1e-3);
    closeTo((gradient!.arraySync() as number[][])[1], [0, 0, 0], 0);
  });

  it('takes any label as the one to ignore', () => {
    const zeros = tf.tensor1d([1, 0, 2, 0], 'int32') as Tensor1D;
    const only = crossEntropy(tf.gather(logits, [0, 2]) as Tensor2D, tf.tensor1d([1, 2], 'int32'));
    closeTo(crossEntropy(logits, zeros, 0).dataSync(), only.dataSync(), 1e-6);
  });

  it('leaves no tensor behind', () => {
    const before = tensorCount();
    const { value, gradients } = valueAndGradients(() => crossEntropy(logits, labels), [logits]);
    tf.dispose([value, gradients[0]!]);
    assert.equal(tensorCount(), before);
  });
});

describe('binaryCrossEntropy', () => {
  it('has the textbook value and gradient, and is finite for huge logits', () => {
    const logits = tf.tensor1d([0.5, -2, 3]), targets = tf.tensor1d([1, 0, 0.25]);
    const p = Array.from(tf.sigmoid(logits).dataSync()), y = [1, 0, 0.25];
    closeTo(binaryCrossEntropy(logits, targets).dataSync(), [p.reduce((sum, q, i) => sum - y[i] * Math.log(q) - (1 - y[i]) * Math.log(1 - q), 0) / 3], 1e-6);
    const { gradients: [gradient] } = valueAndGradients(() => binaryCrossEntropy(logits, targets), [logits]);
    closeTo(gradient!.dataSync(), p.map((q, i) => (q - y[i]) / 3), 1e-6);
    closeTo(binaryCrossEntropy(tf.tensor1d([1000, -1000]), tf.tensor1d([0, 0])).dataSync(), [500], 1e-6);
  });
});

describe('Random', () => {
  it('repeats for a seed, differs between seeds, and continues a saved state', () => {
    const draw = (random: Random) => Array.from({ length: 5 }, () => random.uint32());
    const a = new Random(1);
    assert.deepEqual(draw(a), draw(new Random(1)));
    assert.notDeepEqual(draw(new Random(1)), draw(new Random(2)));
    const state = a.save(), next = draw(a);
    const b = new Random(99);
    b.restore(state);
    assert.deepEqual(draw(b), next);
    assert.throws(() => b.restore([1, 2]), /4 words/);
  });

  it('shuffles to a permutation, evenly', () => {
    const counts = [0, 0, 0];
    const random = new Random(5);
    for (let i = 0; i < 3000; i++) counts[random.shuffle([0, 1, 2]).indexOf(0)]++;
    assert.ok(counts.every((c) => Math.abs(c - 1000) < 120), String(counts));
  });

  it('draws tensors that depend on the seed alone, with the right mean and spread', () => {
    const u = randomUniform([200, 100], [1, 2]), n = randomNormal([200, 100], [3, 4]);
    assert.deepEqual(u.dataSync(), randomUniform([200, 100], [1, 2]).dataSync());
    const { mean, variance } = tf.moments(n);
    closeTo([tf.mean(u).dataSync()[0], mean.dataSync()[0], variance.dataSync()[0]], [0.5, 0, 1], 0.03);
  });
});
