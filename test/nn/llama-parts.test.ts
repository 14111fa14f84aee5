import assert from 'node:assert/strict';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { attention, attentionMask, RMSNorm, rmsNorm, rotaryTables, rotate, splitHeads } from '../../lib/nn';
import { closeTo } from '../close-to';
import { formulaValues } from '../formula';
import { relativeTo } from '../relative-to';
import fixture from '../fixtures/nn/llama-parts.json';

const byFormula = (name: string, shape: number[], scale = 1, shift = 0): Tensor =>
  tf.tensor(formulaValues(name, shape).map((v) => Math.fround(Math.fround(v * scale) + shift)), shape);

/** Compares y, the gradients of Σ y · dy, and that no tensor is left behind. */
function compare(inputs: Record<string, Tensor>, f: () => Tensor, y: number[], expected: Record<string, number[]>): void {
  const before = tensorCount();
  const result = tf.tidy(f);
  relativeTo(result.dataSync(), y, 2e-6, 'y');
  result.dispose();
  const names = Object.keys(inputs);
  assert.deepEqual(names, Object.keys(expected));
  const { value, gradients } = valueAndGradients(() => tf.tidy(() => {
    const y = f();
    return tf.sum(tf.mul(y, byFormula('dy', y.shape)));
  }) as Scalar, names.map((name) => inputs[name]));
  for (const [i, name] of names.entries()) relativeTo(gradients[i]!.dataSync(), expected[name], 2e-5, `gradient of ${name}`);
  tf.dispose([value, ...gradients as Tensor[]]);
  assert.equal(tensorCount(), before);
}

describe('rmsNorm', () => {
  for (const { epsilon, scale, shift, y, gradients } of fixture.rmsNorm) {
    it(`equals Llama's with epsilon ${epsilon} on inputs of scale ${scale} around ${shift}`, () => {
      const inputs = { x: byFormula('x', [2, 5, 33], scale, shift), weight: byFormula('n.weight', [33]) };
      compare(inputs, () => rmsNorm(inputs.x, inputs.weight, epsilon), y, gradients);
      tf.dispose(inputs);
    });
  }

  it('refuses an input of another width', () => {
    const layer = new RMSNorm(4), x = tf.zeros([2, 5]);
    assert.throws(() => layer.forward(x), /over 4 values.*\[2,5\]/);
    layer.dispose();
    x.dispose();
  });
});

describe('rotary positions', () => {
  for (const { size, theta, positions, y, gradients } of fixture.rotary) {
    it(`turn heads of ${size} as Llama's with theta ${theta}`, () => {
      const x = byFormula('x', [2, 3, 5, size]), positionIds = tf.tensor2d(positions, undefined, 'int32');
      const tables = rotaryTables(positionIds, size, theta);
      compare({ x }, () => rotate(x, tables), y, gradients);
      tf.dispose([x, positionIds, tables.cos, tables.sin]);
    });
  }

  it('refuse a head of odd size', () => {
    const positionIds = tf.zeros([1, 2], 'int32');
    assert.throws(() => rotaryTables(positionIds, 7, 10000), /a head of 7 has an odd one/);
    positionIds.dispose();
  });
});

describe('grouped-query attention', () => {
  for (const { groups, queries, padded, weights, output, gradients } of fixture.attention) {
    it(`equals Llama's with ${groups} key heads for 6 query heads, ${queries} queries${padded ? ', padded' : ''}`, () => {
      const before = tensorCount();
      const shape = (name: string) => (name === 'query' ? [2, queries, 24] : [2, 7, groups * 4]);
      const inputs = Object.fromEntries(['query', 'key', 'value'].map((name) => [name, byFormula(name, shape(name), name === 'value' ? 1 : 5)]));
      const padding = tf.tensor2d(fixture.padding, undefined, 'int32');
      const mask = attentionMask({ causal: { queries, keys: 7 }, padding: padded ? padding : null });
      const run = () => {
        const [q, k, v] = [inputs.query, inputs.key, inputs.value].map((x, i) => splitHeads(x, i === 0 ? 6 : groups));
        return attention(q, k, v, { mask });
      };
      const [first, second] = tf.tidy(() => { const { output, weights } = run(); return [output, weights]; });
      closeTo(second.dataSync(), weights, 2e-6, 'weights');
      assert.deepEqual(second.shape, [2, 6, queries, 7]);
      compare(inputs, () => run().output, output, gradients);
      tf.dispose([first, second, padding, ...(mask ? [mask] : []), ...Object.values(inputs)]);
      assert.equal(tensorCount(), before);
    });
  }

  it('refuses key heads that do not divide the query heads', () => {
    const q = tf.zeros([1, 6, 2, 4]), k = tf.zeros([1, 4, 2, 4]);
    assert.throws(() => attention(q, k, k), /4 key heads cannot share 6 query heads/);
    tf.dispose([q, k]);
  });
});
