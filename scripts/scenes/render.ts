// From SVG to pixels, by sharp (librsvg). Several pictures at a time keep its threads busy.
import sharp from 'sharp';
import { CANVAS } from './classes';

export interface RenderOptions {
  /** Side of the picture in pixels. */
  readonly size?: number;
}

function open(svg: string, size: number): sharp.Sharp {
  // Rendering at the wanted resolution, rather than resizing, keeps outlines sharp.
  const picture = sharp(Buffer.from(svg), { density: (72 * size) / CANVAS });
  return (size === CANVAS ? picture : picture.resize(size, size, { fit: 'fill' })).removeAlpha();
}

/** RGB pixels, rows first: size × size × 3 bytes. */
export async function renderPixels(svg: string, { size = CANVAS }: RenderOptions = {}): Promise<Uint8Array> {
  return open(svg, size).toColourspace('srgb').raw().toBuffer();
}

/** A PNG file of at most 256 colours: half the bytes of a full-colour one, and the same pixels in every decoder. */
export async function renderPng(svg: string, { size = CANVAS }: RenderOptions = {}): Promise<Buffer> {
  return open(svg, size).png({ palette: true, colours: 256, dither: 0, effort: 10, compressionLevel: 9 }).toBuffer();
}

/** Pixels of many pictures, in order, `inFlight` of them at a time. */
export async function renderBatch(
  svgs: readonly string[],
  options: RenderOptions & { readonly inFlight?: number } = {},
): Promise<Uint8Array[]> {
  const results: Uint8Array[] = new Array(svgs.length);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < svgs.length; i = next++) results[i] = await renderPixels(svgs[i], options);
  };
  await Promise.all(Array.from({ length: Math.min(svgs.length, options.inFlight ?? 8) }, worker));
  return results;
}
