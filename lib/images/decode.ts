/**
 * Decoding pictures to 8-bit RGB through sharp (libvips). What Pillow's `convert('RGB')` does is done here: alpha is dropped rather
 * than blended, colour profiles are ignored, CMYK is converted by formula. Two things differ on purpose: EXIF orientation is applied
 * unless switched off, and 16-bit grey keeps its high byte (Pillow clips it at 255). One differs for want of the colour: a transparent
 * pixel of a GIF is black, not what its palette says.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import sharp from 'sharp';
import { ImageError, RgbImage } from './rgb-image';

export interface DecodeOptions {
  /** Turn the picture as its EXIF orientation says. Default true; Pillow and the reference loaders do not. */
  readonly exifRotation?: boolean;
  /** Pictures of more pixels than this are refused before they are decoded. Default 100 million (300 MB of RGB). */
  readonly maxPixels?: number;
}

export const DEFAULT_MAX_PIXELS = 100_000_000;

// libvips' cache of recent operations never serves here, since every picture comes as fresh bytes.
sharp.cache(false);

/** Files above this are refused unread; the largest photographs of the data sets here are below 1 MB. */
const MAX_FILE_BYTES = 256 * 2 ** 20;

/**
 * Decodes a file, or the bytes of one, by its content rather than its name: JPEG, PNG, WebP, GIF (both: first frame), TIFF (first
 * page), AVIF.
 *
 * @throws ImageError naming the file when it is missing, empty, truncated, not a picture, or too large.
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<RgbImage> {
  const name = typeof source === 'string' ? source : 'image in memory';
  const bytes = typeof source === 'string' ? readImageFile(source) : source;
  refuseUnlessPicture(name, bytes);
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  const jpeg = bytes[0] === 0xff ? scanJpeg(bytes) : undefined;
  try {
    const picture = sharp(bytes, {
      // Anything short of damage that loses pixels is let pass, as Pillow does (stray bytes between JPEG segments, say).
      failOn: 'error',
      limitInputPixels: maxPixels,
      ignoreIcc: true,
      autoOrient: (options.exifRotation ?? true) && jpeg?.exif !== false,
    });
    if (jpeg ? jpeg.components === 4 : await isCmykTiff(bytes, picture)) return await decodeCmyk(picture);
    const { data, info } = await picture.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    const pixels = info.width * info.height;
    if (data.length === pixels * 3) return { data, width: info.width, height: info.height };
    if (data.length === pixels) return { data: greyToRgb(data), width: info.width, height: info.height };
    throw new ImageError(name, `unexpected ${info.channels} channels after conversion to RGB.`);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    if (error instanceof Error && /pixel limit/i.test(error.message)) {
      // Only the header is read here, to name the size.
      const size = await sharp(bytes, { limitInputPixels: false }).metadata().catch(() => undefined);
      throw new ImageError(name, tooManyPixels(maxPixels, size?.width, size?.height), { cause: error, problem: 'too large' });
    }
    throw new ImageError(name, explain(error), { cause: error, problem: 'damaged' });
  }
}

/** Read at one go and not through Node's thread pool: for files of this size that is cheaper, and the pool is libvips' to decode on. */
function readImageFile(file: string): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const info = fstatSync(descriptor);
    if (!info.isFile()) throw new ImageError(file, 'this is a folder or a device, not a picture; give the path of a file.');
    if (info.size > MAX_FILE_BYTES) {
      const size = `${Math.round(info.size / 2 ** 20)} MB`;
      throw new ImageError(file, `the file has ${size}; pictures above ${MAX_FILE_BYTES / 2 ** 20} MB are refused.`);
    }
    return readFileSync(descriptor);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      throw new ImageError(file, 'there is no such file; check the image folder and the name in the captions.', { cause: error });
    }
    throw new ImageError(file, `the file cannot be read (${code ?? String(error)}).`, { cause: error });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** First bytes of the formats that are read, and of things often met in their place. */
const PICTURES: readonly ((bytes: Buffer) => boolean)[] = [
  (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8,
  (bytes) => bytes.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')),
  (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  (bytes) => /^GIF8[79]a$/.test(bytes.toString('latin1', 0, 6)),
  (bytes) => ['II*\0', 'MM\0*'].includes(bytes.toString('latin1', 0, 4)),
  (bytes) => /^ftypavi[fs]$/.test(bytes.toString('latin1', 4, 12)),
];

const STRANGERS: readonly (readonly [RegExp, string])[] = [
  [/^PK\x03\x04/, 'a zip archive; unpack it first'],
  [/^%PDF/, 'a PDF; save its page as PNG'],
  [/^BM/, 'a BMP picture; save it as PNG'],
  [/^....ftyphei[cx]/s, 'a HEIC photograph; save it as JPEG'],
  [/^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?<svg/i, 'an SVG drawing; save it as PNG'],
  [/^(\xef\xbb\xbf)?\s*<(!doctype )?html/i, 'a web page, perhaps an error page of the server it was downloaded from; download it again'],
  [/^version https:\/\/git-lfs/, 'a Git LFS pointer; run `git lfs pull`'],
  [/^[\t\n\r\x20-\x7e]+$/, 'text'],
];

function refuseUnlessPicture(name: string, source: Uint8Array): void {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  if (bytes.length === 0) throw new ImageError(name, 'the file is empty; download it again or leave it out.', { problem: 'damaged' });
  if (PICTURES.some((is) => is(bytes))) return;
  const head = bytes.toString('latin1', 0, 256);
  if (/^\0*$/.test(head)) {
    throw new ImageError(name, 'the file holds nothing but zeros; its download was cut short, fetch it again.', { problem: 'damaged' });
  }
  const stranger = STRANGERS.find(([pattern]) => pattern.test(head))?.[1];
  const expected = `Expected JPEG, PNG, WebP, GIF, TIFF or AVIF${extensionNote(name)}.`;
  throw new ImageError(name, `this is ${stranger ?? 'not a picture'}. ${expected}`, { problem: 'not a picture' });
}

function extensionNote(name: string): string {
  const extension = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i.exec(basename(name))?.[1];
  return extension ? ` (the name says ${extension.toUpperCase()}, the content does not)` : '';
}

function explain(error: unknown): string {
  const reason = error instanceof Error ? error.message.trim().replace(/\s+/g, ' ') : String(error);
  if (/premature|truncat|end of (file|stream|image|input)|not enough data|out of order|read error|eof/i.test(reason)) {
    return `the picture is cut short or damaged (${reason}); download it again, or leave it out.`;
  }
  return `the picture cannot be decoded (${reason}); open it in a viewer, save it again, or leave it out.`;
}

function tooManyPixels(maxPixels: number, width?: number, height?: number): string {
  const size = width && height ? `the picture has ${width}×${height} pixels` : 'the picture is too large';
  return `${size}; more than ${maxPixels} are refused. If it is to be trusted, raise maxPixels or make it smaller.`;
}

/** TIFF is the other format that can be in CMYK; libvips is asked, at some cost, for it alone. */
async function isCmykTiff(bytes: Uint8Array, picture: sharp.Sharp): Promise<boolean> {
  return (bytes[0] === 0x49 || bytes[0] === 0x4d) && (await picture.metadata()).space === 'cmyk';
}

/**
 * What decides how a JPEG is decoded: the components in its frame header (0 when there is none) and whether it has EXIF data, from
 * its segments (ITU-T T.81, B.1 and B.2.2). Asking libvips costs a tenth of decoding a photograph.
 */
function scanJpeg(bytes: Uint8Array): { components: number; exif: boolean } {
  let at = 2;
  let exif = false;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    // Fill bytes may stand before a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    // Frame headers are C0 to CF without the tables DHT, JPG and DAC among them; EXIF is in APP1.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return { components: bytes[at + 9], exif };
    if (marker === 0xe1) exif = true;
    const standalone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += standalone ? 2 : 2 + (bytes[at + 2] << 8) + bytes[at + 3];
  }
  // Not as the standard has it: libvips may still make something of it, EXIF included.
  return { components: 0, exif: true };
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  const data = new Uint8Array(grey.length * 3);
  for (let pixel = 0; pixel < grey.length; pixel++) data.fill(grey[pixel], pixel * 3, pixel * 3 + 3);
  return data;
}

/** CMYK as Pillow converts it: each colour is (255 − K)·(255 − ink)/255, no profile. libvips has undone Adobe's inversion. */
async function decodeCmyk(picture: sharp.Sharp): Promise<RgbImage> {
  const { data, info } = await picture
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const rgb = new Uint8Array(info.width * info.height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += info.channels) {
    const light = 255 - data[from + 3];
    for (let ink = 0; ink < 3; ink++) {
      // Division by 255 rounded to nearest, in integers.
      const product = data[from + ink] * light + 128;
      rgb[to++] = Math.max(0, light - ((product + (product >> 8)) >> 8));
    }
  }
  return { data: rgb, width: info.width, height: info.height };
}

/** Encodes pixels as PNG (lossless) or JPEG (quality 90), for display and for writing data sets. */
export async function encodeImage(image: RgbImage, format: 'png' | 'jpeg' = 'png'): Promise<Buffer> {
  const raw = sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } });
  return format === 'png' ? raw.png().toBuffer() : raw.jpeg({ quality: 90 }).toBuffer();
}
