import assert from 'node:assert/strict';
import {
  Random, randomNormal, tensorCount, tf, valueAndGradients, withPrecision, type Precision, type Scalar, type Tensor,
} from '../../lib/engine';
import {
  AdditiveAttention, attention, Conv1D, Conv2d, Gru, LayerNorm, Linear, Lstm, MultiHeadAttention, RMSNorm, type Module,
} from '../../lib/nn';
import { relativeTo } from '../relative-to';

const random = new Random(7);
const normal = (...shape: number[]): Tensor => randomNormal(shape, [shape.length, shape[0]]);

interface Layer { module?: Module; shape: number[]; forward: (x: Tensor) => Tensor }
const layer = <M extends Module>(module: M, shape: number[], forward: (module: M, x: Tensor) => Tensor): Layer =>
  ({ module, shape, forward: (x) => forward(module, x) });

const multiplying: Record<string, Layer> = {
  Linear: layer(new Linear(24, 16, random), [4, 24], (m, x) => m.forward(x)),
  Conv1D: layer(new Conv1D(24, 16, random), [3, 2, 24], (m, x) => m.forward(x)),
  Conv2d: layer(new Conv2d(6, 5, random, { kernelSize: 3 }), [2, 7, 7, 6], (m, x) => m.forward(x as never)),
  'Conv2d, depthwise': layer(new Conv2d(6, 6, random, { kernelSize: 3, depthwise: true }), [2, 7, 7, 6], (m, x) => m.forward(x as never)),
  attention: { shape: [2, 3, 5, 8], forward: (x) => attention(x, x, x).output },
  MultiHeadAttention: layer(new MultiHeadAttention(24, 3, random), [2, 4, 24], (m, x) => m.toItself(x).output),
  Gru: layer(new Gru(24, 8, random), [3, 24], (m, x) => m.step(x, tf.tanh(tf.slice(x, [0, 0], [3, 8])))),
  Lstm: layer(new Lstm(24, 8, random), [2, 6, 24], (m, x) => m.forward(x).output),
  AdditiveAttention: layer(new AdditiveAttention(24, 8, random), [2, 5, 24],
    (m, x) => m.forward(x, m.projectFeatures(x), tf.reshape(tf.slice(x, [0, 0, 0], [2, 1, 8]), [2, 8])).context),
};
const others: Record<string, Layer> = {
  LayerNorm: layer(new LayerNorm(24), [4, 24], (m, x) => m.forward(x)),
  RMSNorm: layer(new RMSNorm(24), [4, 24], (m, x) => m.forward(x)),
};

/** Its output, and the gradients of the output's mean cube for the input and the parameters. */
function results({ module, shape, forward }: Layer, precision: Precision): Float32Array[] {
  const before = tensorCount(), x = normal(...shape);
  const output = tf.tidy(() => withPrecision(precision, () => forward(x)));
  const loss = (): Scalar => tf.tidy(() => tf.mean(tf.pow(withPrecision(precision, () => forward(x)), 3)) as Scalar);
  const { value, gradients } = valueAndGradients(loss, [x, ...(module?.parameters() ?? []).map((parameter) => parameter.tensor)]);
  const tensors: Tensor[] = [output, ...gradients.flatMap((gradient) => gradient ?? [])];
  const values = tensors.map((tensor) => Float32Array.from(tensor.dataSync()));
  tf.dispose([x, value, ...tensors]);
  assert.equal(tensorCount(), before);
  return values;
}

describe('layers under withPrecision', () => {
  for (const [name, each] of Object.entries(multiplying)) {
    it(`${name} multiplies in bfloat16, on the way back too`, () => {
      const exact = results(each, 'float32'), rounded = results(each, 'bfloat16');
      assert.equal(rounded.length, exact.length);
      for (const [i, values] of rounded.entries()) {
        const what = i === 0 ? 'output' : `gradient ${i - 1}`;
        relativeTo(values, exact[i], 0.04, what);
        assert.notDeepEqual(values, exact[i], `${what} is as in float32`);
      }
    });
  }

  for (const [name, each] of Object.entries(others)) {
    it(`${name} stays float32`, () => { assert.deepEqual(results(each, 'bfloat16'), results(each, 'float32')); });
  }
});
