/** Pictures with the likeliest classes as bars below them, as in CLIP's own paper (Radford et al. 2021, figure 21). */
import sharp from 'sharp';
import type { RgbImage } from '../images';
import { escapeHtml, show, type MimeBundle } from './display';
import { drawSheet, loadPicture, SHEET_FONT, thumbnail, type Panel, type PictureSource } from './sheet';

export interface PredictionItem {
  image: PictureSource;
  /** The likeliest classes, the likeliest first. */
  top: readonly { readonly name: string; readonly probability: number }[];
  /** What it is: its bar has another colour, and it stands above the bars. */
  truth?: string;
  /** In bold, in place of the truth. */
  title?: string;
}

export interface PredictionGridOptions {
  title?: string;
  /** Pictures a row. Default 4. */
  columns?: number;
  /** Side of the square that a picture is fitted into, and length of a bar of probability 1, in pixels. Default 170. */
  size?: number;
}

const BAR = 20, HEAD = 24, RIGHT = '#8fd3b6', OTHER = '#c9d6e2';
const percent = (share: number): string => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

/** A picture in the middle of a square, a line that says what it is, and the bars below it. */
async function panel({ image, top, truth, title = truth ?? '' }: PredictionItem, size: number): Promise<Panel> {
  const picture = await thumbnail(await loadPicture(image), size), height = size + HEAD + BAR * top.length;
  const bars = top.map(({ name, probability }, i) => {
    const y = size + HEAD + BAR * i;
    return `<rect x="0" y="${y}" width="${Math.max(1, size * probability)}" height="${BAR - 3}" fill="${name === truth ? RIGHT : OTHER}"/>`
      + `<text x="4" y="${y + 13}">${escapeHtml(name)}</text>`
      + `<text x="${size - 3}" y="${y + 13}" text-anchor="end">${percent(probability)}</text>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${height}" font-family="${SHEET_FONT}" `
    + `font-size="12" fill="#111"><text x="0" y="${size + 17}" font-weight="bold">${escapeHtml(title)}</text>${bars.join('')}</svg>`;
  const raw = { width: picture.width, height: picture.height, channels: 3 as const };
  const place = { left: Math.floor((size - picture.width) / 2), top: Math.floor((size - picture.height) / 2) };
  const { data, info } = await sharp({ create: { width: size, height, channels: 3, background: '#ffffff' } })
    .composite([{ input: Buffer.from(picture.data), raw, ...place }, { input: Buffer.from(svg), left: 0, top: 0 }])
    .removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const drawn: RgbImage = { data, width: info.width, height: info.height };
  return { image: drawn };
}

/** The formats of a grid of predictions, for {@link show}. */
export async function predictionBundle(items: readonly PredictionItem[], options: PredictionGridOptions = {}): Promise<MimeBundle> {
  const { title, columns = 4, size = 170 } = options;
  if (items.length === 0) throw new RangeError('predictionGrid: there are no pictures to show.');
  if (!(columns >= 1) || !(size >= 60 && size <= 1024)) {
    throw new RangeError(`predictionGrid: columns must be 1 or more and size 60 to 1024; got ${columns} and ${size}.`);
  }
  for (const { top, truth = 'a picture' } of items) {
    const bad = top.find(({ probability }) => !(probability >= 0 && probability <= 1));
    if (bad) throw new RangeError(`predictionGrid: ${truth} is ${bad.name} with probability ${bad.probability}; expected 0 to 1.`);
  }
  const sheet = await drawSheet(await Promise.all(items.map((item) => panel(item, size))), { columns, title, format: 'jpeg' });
  const lines = items.map((item) => {
    const classes = item.top.map(({ name, probability }) => `${name} ${percent(probability)}`).join(', ');
    return [item.title ?? item.truth, classes].filter(Boolean).join(': ');
  });
  return { 'image/jpeg': sheet.toString('base64'), 'text/plain': [title, ...lines].filter(Boolean).join('\n') };
}

/**
 * Shows pictures with their likeliest classes as bars.
 *
 * @throws RangeError without pictures or for a probability out of range, ImageError naming the file that cannot be read
 */
export async function predictionGrid(items: readonly PredictionItem[], options: PredictionGridOptions = {}): Promise<void> {
  show(await predictionBundle(items, options));
}
