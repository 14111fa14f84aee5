import assert from 'node:assert/strict';
import { currentPrecision, customGradient, tf, valueAndGradients, withPrecision, type Scalar, type Tensor } from '../../lib/engine';

describe('withPrecision', () => {
  it('holds inside its function; scopes nest and the inner one counts', () => {
    assert.equal(currentPrecision(), 'float32');
    const seen = withPrecision('bfloat16', () => [
      currentPrecision(), withPrecision('float32', currentPrecision), withPrecision('bfloat16', currentPrecision), currentPrecision(),
    ]);
    assert.deepEqual(seen, ['bfloat16', 'float32', 'bfloat16', 'bfloat16']);
    assert.equal(currentPrecision(), 'float32');
  });

  it('ends when its function throws', () => {
    assert.throws(() => withPrecision('bfloat16', () => { throw new Error('inside'); }), /inside/);
    assert.equal(currentPrecision(), 'float32');
  });

  it('refuses asynchronous functions and unknown precisions', () => {
    assert.throws(() => withPrecision('bfloat16', async () => 1), /asynchronous/);
    assert.throws(() => withPrecision('float16' as never, () => 1), /float16.*expected float32 or bfloat16/);
    assert.equal(currentPrecision(), 'float32');
  });

  it('holds for a gradient of the forward pass inside it, wherever the way back runs', () => {
    const seen: string[] = [], x = tf.scalar(3);
    const backward = (dy: Tensor): Tensor[] => { seen.push(currentPrecision()); return [tf.mul(dy, 6)]; };
    const square = () => customGradient([x], () => tf.square(x), backward) as Scalar;
    const results = [
      valueAndGradients(() => withPrecision('bfloat16', square), [x]),
      withPrecision('bfloat16', () => valueAndGradients(() => withPrecision('float32', square), [x])),
    ];
    assert.deepEqual(seen, ['bfloat16', 'float32']);
    tf.dispose([x, ...results.flatMap(({ value, gradients }) => [value, gradients[0]!])]);
  });
});
