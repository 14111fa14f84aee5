/** Contact sheets: pictures in a grid with lines of text below each, drawn into one RGB picture. */
import sharp from 'sharp';
import { decodeImage, RgbImage } from '../images';
import { escapeHtml } from './display';

/** A file, an encoded picture, or pixels. */
export type PictureSource = string | Uint8Array | RgbImage;

export interface Panel { image: RgbImage; title?: string; lines?: readonly string[] }

export interface SheetOptions { columns: number; title?: string; format: 'png' | 'jpeg' }

const FONT_SIZE = 12, LINE = 16, GAP = 10;
/** Mean width of a character of a sans-serif font, in units of its size; text is wrapped by it. */
const CHARACTER = 0.56;
export const SHEET_FONT = 'DejaVu Sans, Liberation Sans, Arial, Helvetica, sans-serif';

/** Breaks a text into lines of at most `length` characters, between words where it can. */
export function wrapText(text: string, length: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(/\s+/).filter(Boolean)) {
    while (word.length > length) {
      if (line) { lines.push(line); line = ''; }
      lines.push(word.slice(0, length));
      word = word.slice(length);
    }
    if (line && line.length + 1 + word.length > length) { lines.push(line); line = ''; }
    line = line ? `${line} ${word}` : word;
  }
  if (line) lines.push(line);
  return lines;
}

/** Reads a picture; pixels pass through. Errors name the file (`ImageError`). */
export async function loadPicture(source: PictureSource): Promise<RgbImage> {
  return typeof source === 'string' || source instanceof Uint8Array ? decodeImage(source) : source;
}

const pixels = (image: RgbImage) => sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } });

/** Scaled to fit a square of `size` pixels, never enlarged beyond twice its size. */
export async function thumbnail(image: RgbImage, size: number): Promise<RgbImage> {
  const scale = Math.min(size / Math.max(image.width, image.height), 2);
  const width = Math.max(1, Math.round(image.width * scale)), height = Math.max(1, Math.round(image.height * scale));
  if (width === image.width && height === image.height) return image;
  const data = await pixels(image).resize(width, height, { fit: 'fill' }).raw().toBuffer();
  return { data, width, height };
}

/**
 * PNG with at most 256 colours (a third of the size, hardly visible on small panels), or JPEG.
 */
export function encodePicture(image: RgbImage, format: 'png' | 'jpeg'): Promise<Buffer> {
  return format === 'jpeg' ? pixels(image).jpeg({ quality: 82 }).toBuffer() : pixels(image).png({ palette: true, effort: 7 }).toBuffer();
}

/** Draws the panels row by row. All panels of a row are as high as its highest. */
export async function drawSheet(panels: readonly Panel[], options: SheetOptions): Promise<Buffer> {
  const columns = Math.max(1, Math.min(options.columns, panels.length));
  const cell = Math.max(40, ...panels.map((panel) => panel.image.width));
  const characters = Math.max(6, Math.floor(cell / (FONT_SIZE * CHARACTER)));
  const width = columns * cell + (columns + 1) * GAP;
  const top = options.title ? GAP + LINE : 0;
  const texts: string[] = [];
  const layers: sharp.OverlayOptions[] = [];
  const write = (x: number, y: number, text: string, style = ''): void => {
    texts.push(`<text x="${x}" y="${y}"${style}>${escapeHtml(text)}</text>`);
  };
  if (options.title) write(GAP, GAP + FONT_SIZE, options.title, ' font-weight="bold"');
  let y = top + GAP;
  for (let row = 0; row * columns < panels.length; row++) {
    const members = panels.slice(row * columns, (row + 1) * columns);
    const high = Math.max(...members.map((panel) => panel.image.height));
    let lines = 0;
    members.forEach((panel, column) => {
      const x = GAP + column * (cell + GAP);
      layers.push({ input: Buffer.from(panel.image.data), raw: { width: panel.image.width, height: panel.image.height, channels: 3 }, left: x, top: y });
      const title = panel.title ? wrapText(panel.title, characters) : [];
      const rest = (panel.lines ?? []).flatMap((line) => wrapText(line, characters));
      [...title, ...rest].forEach((line, i) => write(x, y + high + LINE * (i + 1) - 3, line, i < title.length ? ' font-weight="bold"' : ''));
      lines = Math.max(lines, title.length + rest.length);
    });
    y += high + lines * LINE + GAP;
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" font-family="${SHEET_FONT}" font-size="${FONT_SIZE}" fill="#111">${texts.join('')}</svg>`;
  layers.push({ input: Buffer.from(svg), left: 0, top: 0 });
  const sheet = sharp({ create: { width, height: y, channels: 3, background: '#ffffff' } }).composite(layers);
  const { data, info } = await sheet.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return encodePicture({ data, width: info.width, height: info.height }, options.format);
}
