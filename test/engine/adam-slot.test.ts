import assert from 'node:assert/strict';
import { backend, tensorCount, tf } from '../../lib/engine';
import { ProcessorAdamSlot, ResourceAdamSlot, type AdamNumbers } from '../../lib/engine/adam-slot';
import { closeTo } from '../close-to';
import { formulaValues } from '../formula';

const numbers = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.1, gradientFactor: 0.5 };

/** torch.optim.AdamW's rule, value by value. */
function expected(start: readonly number[], gradients: readonly (readonly number[])[]): number[] {
  const { learningRate, beta1, beta2, epsilon, weightDecay, gradientFactor } = numbers;
  return start.map((first, i) => {
    let p = first, m = 0, v = 0;
    for (const [t, all] of gradients.entries()) {
      const g = all[i] * gradientFactor;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const mean = m / (1 - beta1 ** (t + 1)), variance = v / (1 - beta2 ** (t + 1));
      p = p * (1 - learningRate * weightDecay) - (learningRate * mean) / (Math.sqrt(variance) + epsilon);
    }
    return p;
  });
}

for (const Slot of [ProcessorAdamSlot, ResourceAdamSlot]) {
  describe(Slot.name, () => {
    for (const shape of [[3, 5], [400, 601]]) {
      it(`follows AdamW's rule for [${shape}], resumes from its moments, and leaves what it is given`, () => {
        const before = tensorCount();
        const start = formulaValues('p', shape), gradients = [0, 1, 2, 3].map((step) => formulaValues(`g${step}`, shape));
        let slot = new Slot(shape), parameter = tf.tensor(start, shape);
        for (const [i, values] of gradients.entries()) {
          const gradient = tf.tensor(values, shape), former = parameter, alias = tf.reshape(parameter, [-1]);
          const step: AdamNumbers = { ...numbers, step: i + 1 };
          parameter = slot.update(former, gradient, step);
          closeTo(gradient.dataSync(), values, 1e-6);
          assert.notDeepEqual(parameter.dataSync(), former.dataSync());
          if (i === 0) closeTo(alias.dataSync(), start, 1e-6);
          tf.dispose([gradient, former, alias]);
          if (i !== 1) continue;
          const moments = slot.moments(), next = new Slot(shape);
          next.restore(moments);
          tf.dispose(moments);
          slot.dispose();
          slot = next;
        }
        closeTo(parameter.dataSync(), expected(Array.from(start), gradients.map((values) => Array.from(values))), 1e-6);
        slot.dispose();
        parameter.dispose();
        assert.equal(tensorCount(), before);
      });
    }
  });
}

describe('the addon\'s adamStep', () => {
  it('refuses tensors of different sizes, of other types, and none at all', () => {
    const [a, b, c] = [tf.ones([4]), tf.ones([5]), tf.ones([4], 'int32')], ids = (...tensors: (typeof a)[]) => backend().getInputTensorIds(tensors);
    const step = (p: number, m: number, v: number, g: number, rest = [1, 1, 0.9, 0.9, 0.1, 1, 1e-8]) => () => backend().binding.adamStep(p, m, v, g, rest);
    const [one, two, three] = ids(a, b, c);
    assert.throws(step(one, one, one, two), /tensors of one size/);
    assert.throws(step(one, one, one, three), /float32/);
    assert.throws(step(one, one, one, 1e6), /no such tensor/);
    assert.throws(step(one, one, one, one, [1]), /seven numbers/);
    tf.dispose([a, b, c]);
  });
});
