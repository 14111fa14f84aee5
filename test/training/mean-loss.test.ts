import assert from 'node:assert/strict';
import { tensorCount, tf } from '../../lib/engine';
import { meanLoss } from '../../lib/training';

const batches = { stepsPerEpoch: 3, order: () => Uint32Array.of(1, 2, 6), batch: (order: Uint32Array, i: number) => ({ x: tf.scalar(order[i]) }) };

describe('meanLoss', () => {
  it('is the mean over all batches, and leaves no tensor', async () => {
    const before = tensorCount();
    assert.equal(await meanLoss(batches, ({ x }) => tf.add(x, 1)), 4);
    assert.equal(tensorCount(), before);
  });

  it('leaves no batch behind where the loss fails', async () => {
    const before = tensorCount();
    await assert.rejects(meanLoss(batches, () => { throw new Error('broken'); }), /broken/);
    assert.equal(tensorCount(), before);
  });
});
