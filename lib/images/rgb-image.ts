/** Pixels in memory, and the error every operation on a picture throws. */

/** An 8-bit RGB picture, row by row from the top left: `data[(y * width + x) * 3 + channel]`. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** What a picture's bytes are that cannot be decoded: no picture of a format that is read, too many pixels, or damaged. */
export type ImageProblem = 'not a picture' | 'too large' | 'damaged';

/** A picture that cannot be read or processed. The message names the file, what is wrong and what to do. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  /** Path of the file, or a description such as 'image in memory'. */
  readonly file: string;
  /** What is wrong with it, without the file. */
  readonly reason: string;
  /** Where its bytes are at fault, what they are. */
  readonly problem?: ImageProblem;

  constructor(file: string, reason: string, options?: { readonly cause?: unknown; readonly problem?: ImageProblem }) {
    super(`${file}: ${reason}`, options);
    this.file = file;
    this.reason = reason;
    this.problem = options?.problem;
  }
}

/** True for an {@link RgbImage}; throws ImageError if it looks like one and its sizes disagree. */
export function isRgbImage(value: unknown): value is RgbImage {
  if (typeof value !== 'object' || value === null || !('data' in value) || !('width' in value) || !('height' in value)) return false;
  const { data, width, height } = value as RgbImage;
  if (!(data instanceof Uint8Array) || !(width > 0) || !(height > 0) || data.length !== width * height * 3) {
    throw new ImageError('image in memory', `expected ${width}×${height}×3 bytes of RGB, found ${data?.length ?? 'none'}.`);
  }
  return true;
}
