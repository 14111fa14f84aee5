import assert from 'node:assert/strict';
import { tensorCount, tf, valueAndGradients, type Scalar } from '../../lib/engine';
import { relu, relu6 } from '../../lib/nn';

describe('relu and relu6', () => {
  const values = [-7, -0.5, 0, 0.25, 3, 6, 6.5, 100], dy = [1, 2, 3, 4, 5, 6, 7, 8];
  // torch's slopes at 0 and 6 are 0, too.
  const cases = [
    { name: 'relu', f: relu, y: [0, 0, 0, 0.25, 3, 6, 6.5, 100], dx: [0, 0, 0, 4, 5, 6, 7, 8] },
    { name: 'relu6', f: relu6, y: [0, 0, 0, 0.25, 3, 6, 6, 6], dx: [0, 0, 0, 4, 5, 0, 0, 0] },
  ];
  for (const { name, f, y: expected, dx } of cases) {
    it(`${name} and its gradient equal PyTorch's, and leave no tensor behind`, () => {
      const x = tf.tensor2d(values, [2, 4]), before = tensorCount();
      const y = f(x);
      assert.deepEqual(y.shape, [2, 4]);
      assert.deepEqual([...y.dataSync()], expected);
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => tf.sum(tf.mul(f(x), tf.tensor2d(dy, [2, 4])))) as Scalar, [x]);
      assert.deepEqual([...gradients[0]!.dataSync()], dx);
      tf.dispose([y, value, gradients[0]!]);
      assert.equal(tensorCount(), before);
      x.dispose();
    });
  }
});
