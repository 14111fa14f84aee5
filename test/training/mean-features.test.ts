import assert from 'node:assert/strict';
import { MeanFeatures, type PictureFeatures } from '../../lib/training';

describe('MeanFeatures', () => {
  const rows: Record<string, number[]> = { a: [1, 2, 3, 4, 5, 6], b: [3, 0, 1, 4, 0, 8], c: [9, 9, 9, 9, 9, 9] };
  const features: PictureFeatures = { shape: [2, 3], read: (ids) => Float32Array.from(ids.flatMap((id) => rows[id])) };

  it('reads the mean of the given pictures for any id, position by position', () => {
    const mean = new MeanFeatures(features, ['a', 'b']);
    assert.deepEqual(mean.shape, [2, 3]);
    assert.deepEqual([...mean.read(['c', 'unknown'])], [2, 1, 2, 4, 2.5, 7, 2, 1, 2, 4, 2.5, 7]);
    assert.throws(() => new MeanFeatures(features, []), /mean of no pictures/);
  });
});
