import type { PictureFeatures } from './feature-cache';

/** Features that carry no picture: whatever the id, the mean of some pictures', position by position. */
export class MeanFeatures implements PictureFeatures {
  readonly shape: readonly number[];
  private readonly mean: Float32Array;

  /** @param ids the pictures that the mean is of, such as all to be trained on */
  constructor(features: PictureFeatures, ids: readonly string[]) {
    if (ids.length === 0) throw new Error('The mean of no pictures: give the ids of some.');
    this.shape = features.shape;
    const sum = new Float64Array(features.shape.reduce((a, b) => a * b, 1));
    for (const id of ids) for (const [i, value] of features.read([id]).entries()) sum[i] += value;
    this.mean = Float32Array.from(sum, (value) => value / ids.length);
  }

  read(ids: readonly string[]): Float32Array {
    const rows = new Float32Array(ids.length * this.mean.length);
    for (const row of ids.keys()) rows.set(this.mean, row * this.mean.length);
    return rows;
  }
}
