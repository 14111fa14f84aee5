/** Cutting a part, or the middle, out of a picture. */
import { ImageError, RgbImage } from './rgb-image';

/**
 * How a margin that cannot be halved is shared out: `halfToEven` rounds half of it as Python's `round` does (torchvision, and
 * transformers on torch tensors); `floor` puts the odd pixel at the bottom and right (transformers on PIL images).
 */
export type CropRounding = 'halfToEven' | 'floor';

/** Half of a margin, in whole pixels. */
export function halfMargin(margin: number, rounding: CropRounding): number {
  const floor = Math.floor(margin / 2);
  if (rounding === 'floor' || margin % 2 === 0) return floor;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The middle `width` × `height` of a picture. A picture that is smaller is first framed in black: half of what is missing goes to
 * the top and left, rounded down by `halfToEven` and up by `floor`, as in the two references.
 *
 * @throws ImageError when a size is not a positive integer.
 */
export function centerCrop(image: RgbImage, width: number, height: number, rounding: CropRounding = 'halfToEven'): RgbImage {
  if (![width, height].every((size) => Number.isInteger(size) && size > 0)) {
    throw new ImageError('centre crop', `sizes must be whole numbers above 0, not ${width}×${height}.`);
  }
  return cropImage(image, { left: cropOffset(image.width, width, rounding), top: cropOffset(image.height, height, rounding), width, height });
}

/** A part of a picture, in pixels. */
export interface CropWindow { readonly left: number; readonly top: number; readonly width: number; readonly height: number }

/**
 * The part of a picture that a window shows; black where the window lies outside.
 *
 * @throws ImageError when the window is not of whole pixels or has none.
 */
export function cropImage(image: RgbImage, { left, top, width, height }: CropWindow): RgbImage {
  if (![left, top, width, height].every(Number.isInteger) || width < 1 || height < 1) {
    throw new ImageError('crop', `the window is ${width}×${height} at (${left}, ${top}); expected whole pixels, one or more a side.`);
  }
  const data = new Uint8Array(width * height * 3);
  const fromX = Math.max(0, left);
  const columns = Math.min(image.width, left + width) - fromX;
  for (let y = Math.max(0, -top); columns > 0 && y < height && y + top < image.height; y++) {
    const from = ((y + top) * image.width + fromX) * 3;
    data.set(image.data.subarray(from, from + columns * 3), (y * width + fromX - left) * 3);
  }
  return { data, width, height };
}

/** Where the crop starts in the picture; below zero when the picture is framed. */
export function cropOffset(size: number, crop: number, rounding: CropRounding): number {
  if (crop <= size) return halfMargin(size - crop, rounding);
  const missing = crop - size;
  return -(rounding === 'floor' ? Math.ceil(missing / 2) : Math.floor(missing / 2));
}
