/** Blurring by running means: three passes of a box look like a Gaussian and cost the same at any width. */
import type { RgbImage } from './rgb-image';

const PASSES = 3;

/**
 * The picture blurred by three means over `2·round(width/2)+1` pixels across and as many down; at the edges the outermost pixel counts as
 * going on. Widths in pixels, 0 and up.
 */
export function boxBlur(image: RgbImage, acrossWidth: number, downWidth: number): RgbImage {
  const { width, height } = image;
  const values = new Float32Array(image.data);
  const other = new Float32Array(values.length);
  for (let pass = 0; pass < PASSES; pass++) {
    // Along a row pixel after pixel, down the picture row after row: memory is walked in order both times.
    for (let row = 0; row < height; row++) runningMeans(values, other, row * width * 3, width, 3, Math.round(acrossWidth / 2));
    runningMeans(other, values, 0, height, width * 3, Math.round(downWidth / 2));
  }
  const data = new Uint8Array(values.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.round(values[i]);
  return { data, width, height };
}

/** Means over `2·radius+1` neighbours, for each of the `count` vectors of `size` numbers that follow one another from `start` on. */
function runningMeans(from: Float32Array, to: Float32Array, start: number, count: number, size: number, radius: number): void {
  const share = 1 / (2 * radius + 1);
  const last = count - 1;
  const place = (index: number) => start + Math.min(last, Math.max(0, index)) * size;
  const sums = new Float64Array(size);
  for (let offset = -radius; offset <= radius; offset++) {
    const at = place(offset);
    for (let i = 0; i < size; i++) sums[i] += from[at + i];
  }
  for (let index = 0; index < count; index++) {
    const at = start + index * size;
    const entering = place(index + radius + 1);
    const leaving = place(index - radius);
    for (let i = 0; i < size; i++) {
      to[at + i] = sums[i] * share;
      sums[i] += from[entering + i] - from[leaving + i];
    }
  }
}
