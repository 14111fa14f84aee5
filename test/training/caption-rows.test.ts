import assert from 'node:assert/strict';
import { tensorCount, tf } from '../../lib/engine';
import { captionRows } from '../../lib/training';

function rowsOf(...args: Parameters<typeof captionRows>) {
  const before = tensorCount(), { inputIds, labels, attentionMask } = captionRows(...args);
  const rows = { inputs: inputIds.arraySync(), labels: labels.arraySync(), mask: attentionMask?.arraySync() };
  tf.dispose([inputIds, labels, ...(attentionMask ? [attentionMask] : [])]);
  assert.equal(tensorCount(), before);
  return rows;
}

describe('captionRows', () => {
  const ids = { startId: 1, endId: 2, padId: 0 };

  it('reads start and words, and scores words and end, filled to the right', () => {
    assert.deepEqual(rowsOf([[7, 8, 9], [5]], ids), {
      inputs: [[1, 7, 8, 9], [1, 5, 0, 0]], labels: [[7, 8, 9, 2], [5, 2, -100, -100]], mask: undefined,
    });
  });

  it('has room for more words than the longest caption has, if asked', () => {
    assert.deepEqual(rowsOf([[7]], { ...ids, paddingSide: 'left' }, 3), {
      inputs: [[0, 0, 1, 7]], labels: [[-100, -100, 7, 2]], mask: [[0, 0, 1, 1]],
    });
  });

  it('reads a prompt and does not score it; left padding is masked', () => {
    assert.deepEqual(rowsOf([[7, 8, 9], [5]], { ...ids, promptIds: [3, 4], paddingSide: 'left' }), {
      inputs: [[1, 3, 4, 7, 8, 9], [0, 0, 1, 3, 4, 5]],
      labels: [[-100, -100, 7, 8, 9, 2], [-100, -100, -100, -100, 5, 2]],
      mask: [[1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1]],
    });
  });
});
