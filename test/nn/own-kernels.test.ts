import assert from 'node:assert/strict';
import {
  GraphFunction, hasOwnKernels, nativeOp, randomNormal, tensorCount, tf, valueAndGradients, type Scalar, type Tensor,
} from '../../lib/engine';
import { gelu, geluTanh, layerNorm, quickGelu, silu } from '../../lib/nn';
import { composedGate, composedGelu } from '../../lib/nn/activations';
import { composedLayerNorm } from '../../lib/nn/layer-norm';
import { closeTo } from '../close-to';

const slope = Math.sqrt(2 / Math.PI);

/** Value and gradients for all inputs, of a sum in which every value counts differently. */
function differentiate(fn: (...inputs: Tensor[]) => Tensor, inputs: Tensor[]): number[][] {
  const weigh = (y: Tensor): Scalar => tf.sum(tf.mul(y, tf.cos(tf.range(0, y.size).reshape(y.shape)))) as Scalar;
  const y = tf.tidy(() => fn(...inputs)), { value, gradients } = valueAndGradients(() => tf.tidy(() => weigh(fn(...inputs))), inputs);
  const all = [y, value, ...gradients].map((tensor) => [...tensor!.dataSync()]);
  tf.dispose([y, value, gradients] as never);
  return all;
}

/** Sums of `terms` of about 1 are rounded in different orders. */
function agree(own: (...inputs: Tensor[]) => Tensor, composed: (...inputs: Tensor[]) => Tensor, inputs: Tensor[], terms = 1): void {
  const before = tensorCount(), [mine, theirs] = [own, composed].map((fn) => differentiate(fn, inputs));
  for (const [i, values] of theirs.entries()) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    closeTo(mine[i], values, 2e-6 * largest + 6e-8 * terms);
  }
  assert.equal(tensorCount(), before);
}

describe('operations of the addon', () => {
  const threads = process.env.TF_NUM_INTRAOP_THREADS;
  before(function hasAddon() {
    if (!hasOwnKernels()) this.skip();
    process.env.TF_NUM_INTRAOP_THREADS = '3'; // the addon's operations look at it every time
  });
  after(() => {
    if (threads === undefined) delete process.env.TF_NUM_INTRAOP_THREADS;
    else process.env.TF_NUM_INTRAOP_THREADS = threads;
  });

  const activations = [
    ['gelu', gelu, composedGelu], ['geluTanh', geluTanh, (x: Tensor) => composedGate(x, 2 * slope, 2 * slope * 0.044715)],
    ['quickGelu', quickGelu, (x: Tensor) => composedGate(x, 1.702, 0)], ['silu', silu, (x: Tensor) => composedGate(x, 1, 0)],
  ] as const;
  for (const [name, own, composed] of activations) {
    it(`${name} and its gradient equal those composed of TensorFlow's, far out, too, on several threads`, () => {
      const ends = tf.tensor1d([-1e30, -1000, -90, -20, -6, -1e-20, 0, 1e-20, 6, 20, 90, 1000]);
      const x = tf.mul(randomNormal([601, 1001], [3, 4]), 3), few = tf.concat([ends.slice([1], [11]), randomNormal([5], [1, 2])]);
      agree(own, composed, [few]);
      agree(own, composed, [x]);
      const [y] = tf.tidy(() => [own(ends)]);
      assert.ok([...y.dataSync()].every(Number.isFinite), `${y.dataSync()}`);
      tf.dispose([ends, x, few, y]);
    });
  }

  for (const shape of [[1, 1], [3, 5], [2, 3, 16], [7, 33], [1500, 300]]) {
    it(`layer norm of [${shape}] and its gradients equal those composed of TensorFlow's`, () => {
      const size = shape[shape.length - 1], x = tf.add(tf.mul(randomNormal(shape, [1, 1]), 2), 5);
      const inputs = [x, randomNormal([size], [2, 2]), randomNormal([size], [3, 3])];
      const [own, composed] = [layerNorm, composedLayerNorm].map((fn) => ([a, b, c]: Tensor[]) => fn(a, b, c, 1e-5));
      agree((...given) => own(given), (...given) => composed(given), inputs, x.size / size);
      tf.dispose(inputs);
    });
  }

  it('are in graphs as they are without', () => {
    const weight = randomNormal([8], [1, 1]), bias = randomNormal([8], [2, 2]);
    const run = ({ x }: { x: Tensor }): (Tensor | null)[] => {
      const loss = (): Scalar => tf.tidy(() => tf.sum(gelu(silu(layerNorm(x, weight, bias, 1e-6)))) as Scalar);
      const { value, gradients } = valueAndGradients(loss, [x, weight, bias]);
      return [value, ...gradients];
    };
    const graph = new GraphFunction(run, () => [weight, bias]), x = randomNormal([4, 8], [3, 3]);
    const runs = [run({ x }), graph.run({ x }), graph.run({ x })];
    const [plain, first, second] = runs.map((all) => all.map((tensor) => [...tensor!.dataSync()]));
    for (const [i, values] of plain.entries()) for (const one of [first, second]) closeTo(one[i], values, 1e-6);
    assert.equal(graph.obstacle, undefined);
    graph.dispose();
  });

  it('refuse tensors that do not fit together, and go on', () => {
    const [two, three] = [tf.ones([2]), tf.ones([3])];
    assert.throws(() => nativeOp('CaptioningGeluGrad', {}, [two, three]), /different sizes/);
    assert.throws(() => nativeOp('CaptioningLayerNorm', { a: { float: 0 } }, [three, two, two], 3), /different sizes/);
    closeTo(tf.tidy(() => gelu(two)).dataSync(), [0.8413447, 0.8413447], 1e-6);
    tf.dispose([two, three]);
  });
});
