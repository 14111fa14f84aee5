import assert from 'node:assert/strict';
import { tensorCount, tf, withPeakBytes } from '../../lib/engine';

describe('withPeakBytes', () => {
  it('counts what was alive at most, over what was there before', async () => {
    const there = tf.zeros([1000]), before = tensorCount();
    const { value, peakBytes } = await withPeakBytes(() => tf.tidy(() => {
      const doubled = tf.tidy(() => tf.add(tf.add(there, 1), there)); // 8,000 bytes for a moment, 4,000 after it
      return tf.sum(doubled).dataSync()[0];
    }));
    assert.equal(value, 1000);
    assert.ok(peakBytes >= 8000 && peakBytes < 8200, `${peakBytes}`);
    assert.equal(tensorCount(), before);
    there.dispose();
  });

  it('throws what the function throws, and counts afterwards as before', async () => {
    await assert.rejects(withPeakBytes(() => { throw new Error('broken'); }), /broken/);
    const { peakBytes } = await withPeakBytes(() => tf.tidy(() => tf.ones([25]).dataSync()[0]));
    assert.ok(peakBytes >= 0 && peakBytes <= 100, `${peakBytes}`);
  });
});
