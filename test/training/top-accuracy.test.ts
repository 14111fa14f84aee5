import assert from 'node:assert/strict';
import { Random, tensorCount, tf } from '../../lib/engine';
import { TopAccuracy } from '../../lib/training';
import { closeTo } from '../close-to';

describe('TopAccuracy', () => {
  it('is the share of counted labels among the k best, over all batches since it was last taken', () => {
    const random = new Random(3), before = tensorCount();
    for (const k of [1, 3, 5]) {
      const top = new TopAccuracy(k);
      let right = 0, count = 0;
      for (let batch = 0; batch < 3; batch++) {
        const rows = Array.from({ length: 4 + batch }, () => Array.from({ length: 7 }, () => random.uniform()));
        const labels = rows.map((_, row) => (row === 1 ? -100 : random.integer(7)));
        for (const [row, values] of rows.entries()) {
          if (labels[row] < 0) continue;
          count++;
          right += Number(values.filter((value) => value > values[labels[row]]).length < k);
        }
        // Shaped as a batch of captions.
        const logits = tf.tensor(rows.flat(), [1, rows.length, 7]), targets = tf.tensor(labels, [1, rows.length], 'int32');
        const counts = top.counts(logits, targets);
        top.add({ right: counts.right.dataSync()[0], counted: counts.counted.dataSync()[0] });
        tf.dispose([logits, targets, counts.right, counts.counted]);
      }
      closeTo([top.take()], [right / count], 1e-9);
      assert.ok(Number.isNaN(top.take()), 'nothing since');
    }
    assert.equal(tensorCount(), before);
    assert.throws(() => new TopAccuracy(0), /k is 0; expected a whole number, 1 or more/);
  });
});
