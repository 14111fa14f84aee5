import assert from 'node:assert/strict';
import { customGradient, tensorCount, tf, valueAndGradients, type Scalar, type Tensor, type Tensor2D } from '../../lib/engine';
import { closeTo } from '../close-to';

describe('valueAndGradients', () => {
  const x = tf.tensor2d([[1, -2], [3, 0.5]]), w = tf.tensor2d([[0.5, 1], [-1, 2]]), b = tf.tensor1d([0.1, -0.3]);
  // x is read three times, w twice, one part of the split not at all, and a branch leads nowhere.
  const loss = (): Scalar => tf.tidy(() => {
    const y = tf.add(tf.matMul(x, w), b), [left] = tf.split(tf.tanh(y), 2, 1);
    tf.exp(y);
    return tf.sum(tf.add(tf.mul(left, tf.slice(x, [0, 1], [2, 1])), tf.mean(tf.mul(w, x)))) as Scalar;
  });

  it('gives what TensorFlow.js gives, and null for a tensor the loss does not depend on', () => {
    const expected = tf.grads(() => loss())([x, w, b] as Tensor[]), aside = tf.scalar(1);
    const { value, gradients } = valueAndGradients(loss, [x, aside, w, b]);
    assert.equal(gradients[1], null);
    closeTo(value.dataSync(), loss().dataSync(), 0);
    for (const [i, gradient] of [gradients[0], gradients[2], gradients[3]].entries()) closeTo(gradient!.dataSync(), expected[i].dataSync(), 1e-6);
  });

  it('leaves the value and the gradients behind, no more', () => {
    const before = tensorCount();
    const { value, gradients } = valueAndGradients(loss, [x, w]);
    assert.equal(tensorCount() - before, 3);
    tf.dispose([value, ...gradients] as Tensor[]);
    assert.equal(tensorCount(), before);
  });

  it('leaves nothing behind when the loss or a gradient fails', () => {
    const before = tensorCount();
    assert.throws(() => valueAndGradients(() => { loss(); throw new Error('stopped'); }, [x]), /stopped/);
    assert.throws(() => valueAndGradients(() => tf.sum(tf.topk(tf.mul(x, w), 1).values) as Scalar, [x]), /TopK has no gradient/);
    const wrong = () => tf.sum(customGradient([x], () => tf.square(x), () => [tf.scalar(1)])) as Scalar;
    assert.throws(() => valueAndGradients(wrong, [x]), /expected float32 \[2,2\]/);
    assert.equal(tensorCount(), before);
    const { value, gradients: [gradient] } = valueAndGradients(() => tf.sum(tf.square(x)) as Scalar, [x]);
    closeTo(gradient!.dataSync(), [2, -4, 6, 1], 0);
    tf.dispose([value, gradient!]);
  });

  it('takes a gradient that hands on its input, what was saved, or one tensor twice', () => {
    const kept = tf.tensor2d([[2, 2], [2, 2]]), before = tensorCount();
    const same = (a: Tensor): Tensor => customGradient([a], () => tf.clone(a), (dy) => [dy]);
    const both = (a: Tensor, c: Tensor): Tensor => customGradient([a, c], (save) => {
      save(a);
      return tf.add(a, c);
    }, (dy, [saved]) => { const g = tf.mul(dy, saved); return [g, g]; });
    const constant = (a: Tensor): Tensor => customGradient([a], () => tf.mul(a, 2), () => [kept]);
    const { value, gradients } = valueAndGradients(() => tf.sum(same(both(same(constant(x)), w))) as Scalar, [x, w]);
    const doubled = (x.arraySync() as number[][]).flat().map((v) => 2 * v);
    closeTo(gradients[1]!.dataSync(), doubled, 1e-6);
    closeTo(gradients[0]!.dataSync(), [2, 2, 2, 2], 0);
    closeTo(kept.dataSync(), [2, 2, 2, 2], 0);
    tf.dispose([value, ...gradients] as Tensor[]);
    assert.equal(tensorCount(), before);
  });

  it('holds what the forward pass saved no longer than the backward pass needs it', () => {
    const wide = tf.ones([64, 64]) as Tensor2D, start = tf.memory().numBytes;
    let most = 0;
    const watch = (a: Tensor): Tensor => customGradient([a], () => tf.clone(a), (dy) => {
      most = Math.max(most, tf.memory().numBytes - start);
      return [dy];
    });
    const { value, gradients } = valueAndGradients(() => tf.tidy(() => {
      let y: Tensor = wide;
      for (let i = 0; i < 20; i++) y = watch(tf.sigmoid(y));
      return tf.mean(y) as Scalar;
    }), [wide]);
    // 20 outputs are saved for the sigmoids; gradients of all of them beside these would be 20 more.
    assert.ok(most < 25 * wide.size * 4, `${(most / wide.size / 4).toFixed(1)} arrays`);
    tf.dispose([value, ...gradients, wide] as Tensor[]);
  });
});
