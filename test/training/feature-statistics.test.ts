import assert from 'node:assert/strict';
import { featureStatistics } from '../../lib/training';
import { closeTo } from '../close-to';

/** Two positions of three features a picture. */
const rows: Record<string, number[]> = { a: [1, 5, 2, 3, 5, 2], b: [3, 5, 0, 5, 5, 0], c: [9, 9, 9, 9, 9, 9] };
const features = { shape: [2, 3], read: (ids: readonly string[]) => Float32Array.from(ids.flatMap((id) => rows[id])) };

describe('featureStatistics', () => {
  it('are of each feature over the given pictures, of the mean over positions; a feature that never changes has a least deviation', () => {
    const { mean, std } = featureStatistics(features, ['a', 'b']);
    closeTo(mean, [3, 5, 1], 1e-6);
    closeTo(std, [1, 1e-4, 1], 1e-6);
    assert.throws(() => featureStatistics(features, []), /no pictures/);
  });
});
