import assert from 'node:assert/strict';
import { Random, tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { activation, attention, attentionMask, Conv1D, layerNorm, LayerNorm, splitHeads, type Activation } from '../../lib/nn';
import { closeTo } from '../close-to';
import { formulaValues } from '../formula';
import fixture from '../fixtures/nn/transformer-parts.json';

const byFormula = (name: string, shape: number[], scale = 1, shift = 0): Tensor =>
  tf.tensor(formulaValues(name, shape).map((v) => Math.fround(Math.fround(v * scale) + shift)), shape);

/** Compares the gradients of Σ y · dy with the reference's, and that no tensor is left behind. */
function compareGradients(inputs: Record<string, Tensor>, f: () => Tensor, expected: Record<string, number[]>): void {
  const before = tensorCount();
  const names = Object.keys(expected);
  const { value, gradients } = valueAndGradients(() => tf.tidy(() => {
    const y = f();
    return tf.sum(tf.mul(y, byFormula('dy', y.shape)));
  }) as Scalar, names.map((name) => inputs[name]));
  for (const [i, name] of names.entries()) {
    assert.deepEqual(gradients[i]!.shape, inputs[name].shape);
    closeTo(gradients[i]!.dataSync(), expected[name], 2e-5, `gradient of ${name}`);
  }
  tf.dispose([value, ...gradients as Tensor[]]);
  assert.equal(tensorCount(), before);
}

describe('layerNorm', () => {
  for (const { epsilon, scale, shift, y: expected, gradients } of fixture.layerNorm) {
    it(`equals PyTorch's with epsilon ${epsilon} on inputs of scale ${scale} around ${shift}`, () => {
      const inputs = { x: byFormula('x', [2, 5, 33], scale, shift), weight: byFormula('n.weight', [33]), bias: byFormula('n.bias', [33]) };
      const y = layerNorm(inputs.x, inputs.weight, inputs.bias, epsilon);
      closeTo(y.dataSync(), expected, 1e-5);
      compareGradients(inputs, () => layerNorm(inputs.x, inputs.weight, inputs.bias, epsilon), gradients);
      tf.dispose([y, ...Object.values(inputs)]);
    });
  }

  it('refuses an input of another width', () => {
    const layer = new LayerNorm(4), x = tf.zeros([2, 5]);
    assert.throws(() => layer.forward(x), /over 4 values.*\[2,5\]/);
    layer.dispose();
    x.dispose();
  });
});

describe('activation', () => {
  for (const [name, { y: expected, gradient }] of Object.entries(fixture.activations)) {
    it(`${name} and its gradient equal transformers'`, () => {
      const before = tensorCount();
      const x = tf.linspace(-9, 9, 181), f = activation(name as Activation);
      const y = f(x);
      closeTo(y.dataSync(), expected, 1e-6);
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => tf.sum(f(x))) as Scalar, [x]);
      // ReLU's derivative at 0 is a convention, and linspace's middle is within rounding of it.
      const off0 = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => name !== 'relu' || i !== 90);
      closeTo(off0(gradients[0]!.dataSync()), off0(gradient), 2e-6);
      tf.dispose([x, y, value, gradients[0]!]);
      assert.equal(tensorCount(), before);
    });
  }

  it('refuses an unknown name', () => { assert.throws(() => activation('toString' as Activation), /Unknown activation "toString".*gelu/); });
});

describe('attention', () => {
  for (const { causal, padded, queries, scale, weights, output, gradients } of fixture.attention) {
    it(`equals PyTorch's with ${queries} queries${causal ? ', causal' : ''}${padded ? ', padded' : ''}`, () => {
      const before = tensorCount();
      const shapes = { query: queries, key: 7, value: 7 };
      const inputs = Object.fromEntries(Object.entries(shapes).map(([name, length]) => [name, byFormula(name, [2, length, 15], name === 'value' ? 1 : 5)]));
      const padding = tf.tensor2d(fixture.padding, [2, 7], 'int32');
      const mask = attentionMask({ causal: causal ? { queries, keys: 7 } : undefined, padding: padded ? padding : null });
      const run = () => {
        const [q, k, v] = ['query', 'key', 'value'].map((name) => splitHeads(inputs[name], 3));
        return attention(q, k, v, { mask, scale: scale ?? undefined });
      };
      const result = tf.tidy(() => { const { output, weights } = run(); return [output, weights]; });
      closeTo(result[0].dataSync(), output, 1e-5, 'output');
      closeTo(result[1].dataSync(), weights, 1e-5, 'weights');
      compareGradients(inputs, () => run().output, gradients);
      tf.dispose([...result, padding, ...(mask ? [mask] : []), ...Object.values(inputs)]);
      assert.equal(tensorCount(), before);
    });
  }

  it('needs no mask for one new word without padding', () => {
    assert.equal(attentionMask({ causal: { queries: 1, keys: 9 } }), null);
    assert.equal(attentionMask({}), null);
  });

  it('refuses heads that do not divide the width, and masks of another length', () => {
    const x = tf.zeros([1, 2, 10]), padding = tf.ones([1, 3], 'int32');
    assert.throws(() => splitHeads(x, 3), /10 values do not divide into 3 heads/);
    assert.throws(() => attentionMask({ causal: { queries: 4, keys: 4 }, padding }), /covers 3 positions, there are 4/);
    tf.dispose([x, padding]);
  });
});

describe('Conv1D', () => {
  it('equals transformers\' with the weight (in, out)', () => {
    const layer = new Conv1D(5, 7, new Random(0));
    layer.weight.load(formulaValues('c.weight', [5, 7]));
    layer.bias.load(formulaValues('c.bias', [7]));
    const x = byFormula('x', [2, 3, 5]), y = layer.forward(x);
    assert.deepEqual(y.shape, [2, 3, 7]);
    closeTo(y.dataSync(), fixture.conv1d.y, 1e-6);
    compareGradients({ x, weight: layer.weight.tensor, bias: layer.bias.tensor }, () => layer.forward(x), fixture.conv1d.gradients);
    tf.dispose([x, y]);
    layer.dispose();
  });
});
