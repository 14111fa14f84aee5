import type { FeatureStatistics } from '../captioners';
import type { PictureFeatures } from './feature-cache';

/** Least standard deviation: a feature that is always the same is divided by this. */
const LEAST = 1e-4;

/**
 * Mean and standard deviation of each feature over pictures, of the mean over a picture's positions.
 *
 * @param ids the pictures, such as all to be trained on
 */
export function featureStatistics(features: PictureFeatures, ids: readonly string[]): FeatureStatistics {
  if (ids.length === 0) throw new Error('Statistics of no pictures: give the ids of some.');
  const size = features.shape[features.shape.length - 1], sum = new Float64Array(size), squares = new Float64Array(size);
  for (const id of ids) {
    const row = features.read([id]), positions = row.length / size, pooled = new Float64Array(size);
    for (const [i, value] of row.entries()) pooled[i % size] += value / positions;
    for (const [i, value] of pooled.entries()) {
      sum[i] += value / ids.length;
      squares[i] += (value * value) / ids.length;
    }
  }
  const std = squares.map((square, i) => Math.max(LEAST, Math.sqrt(Math.max(0, square - sum[i] ** 2))));
  return { mean: Float32Array.from(sum), std: Float32Array.from(std) };
}
