import type { RgbImage } from '../lib/images';

/** A picture of any size by a formula that Python computes too (`picture` of scripts/reference/smolvlm_processor.py). */
export function drawn(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) data[at++] = (x * 7 + y * 13 + c * 29 + ((x * y) % 31) * 5) % 256;
  }
  return { data, width, height };
}
