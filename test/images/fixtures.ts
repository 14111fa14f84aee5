/** The cases of scripts/reference/images.py. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage, RgbImage } from '../../lib/images';

export const FIXTURES = join(__dirname, '..', 'fixtures', 'images');

export interface ProcessorCase {
  processor: string;
  source: string;
  shape: [number, number, number];
  at: number[];
  values: number[];
  sums: [number, number, number];
}

export interface Cases {
  resize: { source: string; size: [number, number]; filter: 'bilinear'; sha256: string; expected?: string }[];
  large: { from: [number, number]; size: [number, number]; filter: 'bilinear'; sha256: string }[];
  torchvision: { source: string; edge: number; crop: number; filter: 'bilinear'; cropOnly?: [number, number]; sha256: string }[];
  transformers: ProcessorCase[];
  timm: ProcessorCase[];
  decode: { file: string; expected: string; exact: boolean; exifRotation?: boolean }[];
}

export const cases = JSON.parse(readFileSync(join(FIXTURES, 'cases.json'), 'utf8')) as Cases;

/** Decodes a fixture, once. */
export function fixture(name: string): Promise<RgbImage> {
  let image = decoded.get(name);
  if (!image) decoded.set(name, (image = decodeImage(join(FIXTURES, name))));
  return image;
}
const decoded = new Map<string, Promise<RgbImage>>();

export function sha256(image: RgbImage): string {
  return createHash('sha256').update(image.data).digest('hex');
}

/** Largest difference of two pictures of one size, and the share of values that differ. */
export function difference(a: RgbImage, b: RgbImage): { largest: number; share: number } {
  if (a.width !== b.width || a.height !== b.height) throw new Error(`${a.width}×${a.height} against ${b.width}×${b.height}`);
  let largest = 0;
  let differing = 0;
  for (let i = 0; i < a.data.length; i++) {
    const apart = Math.abs(a.data[i] - b.data[i]);
    largest = Math.max(largest, apart);
    if (apart) differing++;
  }
  return { largest, share: differing / a.data.length };
}
