/**
 * Where the model looked for each word, as in "Show, Attend and Tell" (Xu et al. 2015, figure 3): the picture dimmed except where
 * the weights are, one panel a word.
 */
import sharp from 'sharp';
import { RgbImage } from '../images';
import { MimeBundle, show } from './display';
import { drawSheet, loadPicture, Panel, PictureSource, thumbnail } from './sheet';

/** Weights over the cells of the feature map: rows of numbers, or all in one list row by row. */
export type AttentionMap = ArrayLike<number> | readonly ArrayLike<number>[];

export interface AttentionGridOptions {
  title?: string;
  /** Height and width of the maps in cells. Needed for flat lists that are not square. */
  shape?: readonly [height: number, width: number];
  /** 'word': each panel is as bright as can be. 'shared': panels compare, a flat map stays dim. Default 'word'. */
  scale?: 'word' | 'shared';
  /** Panels a row. Default 6. */
  columns?: number;
  /** Longer side of a panel, in pixels. Default 128. */
  size?: number;
  /** Whether the picture itself comes first. Default true. */
  original?: boolean;
  format?: 'png' | 'jpeg';
}

interface Weights { values: Float64Array; height: number; width: number }

function readMap(map: AttentionMap, word: string, shape: readonly [number, number] | undefined): Weights {
  const nested = map.length > 0 && typeof map[0] === 'object';
  const rows = nested ? Array.from(map as readonly ArrayLike<number>[]) : [map as ArrayLike<number>];
  const values = Float64Array.from(rows.flatMap((row) => Array.from(row)));
  const [height, width] = shape ?? (nested ? [rows.length, rows[0].length] : [Math.sqrt(values.length), Math.sqrt(values.length)]);
  if (!Number.isInteger(height) || !Number.isInteger(width) || values.length === 0 || values.length !== height * width) {
    throw new RangeError(`attentionGrid: the map of ${JSON.stringify(word)} has ${values.length} weights, which `
      + `${shape ? `is not ${height}×${width}` : 'is no square; give options.shape as [height, width]'}.`);
  }
  const bad = values.find((value) => !Number.isFinite(value) || value < 0);
  if (bad !== undefined) throw new RangeError(`attentionGrid: the map of ${JSON.stringify(word)} holds ${bad}; weights must be 0 or more.`);
  return { values, height, width };
}

/** The weights as brightness 0 to 255, enlarged by bicubic interpolation. */
async function enlarge(map: Weights, peak: number, width: number, height: number): Promise<Uint8Array> {
  const small = Uint8Array.from(map.values, (value) => Math.round((peak > 0 ? Math.min(value / peak, 1) : 0) * 255));
  return sharp(small, { raw: { width: map.width, height: map.height, channels: 1 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' }).toColourspace('b-w').raw().toBuffer();
}

/** Dimmed to a third where the weight is 0, its own brightness with a warm tint where it is highest. */
function overlay(image: RgbImage, weights: Uint8Array): RgbImage {
  const tint = [230, 159, 0];
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] / 255;
    for (let c = 0; c < 3; c++) {
      const lit = image.data[i * 3 + c] * (0.35 + 0.65 * weight);
      data[i * 3 + c] = Math.round(lit + (tint[c] - lit) * 0.35 * weight);
    }
  }
  return { data, width: image.width, height: image.height };
}

/** The figure of {@link attentionGrid} as an encoded picture. */
export async function attentionPicture(image: PictureSource, words: readonly string[], maps: readonly AttentionMap[], options: AttentionGridOptions = {}): Promise<Buffer> {
  if (words.length !== maps.length) throw new RangeError(`attentionGrid: ${words.length} words but ${maps.length} attention maps; give one map a word.`);
  const { title, shape, scale = 'word', columns = 6, size = 128, original = true, format = 'png' } = options;
  const weights = maps.map((map, i) => readMap(map, words[i], shape));
  const peak = Math.max(0, ...weights.map((map) => Math.max(...map.values)));
  const picture = await thumbnail(await loadPicture(image), size);
  const panels: Panel[] = await Promise.all(weights.map(async (map, i) => {
    const bright = await enlarge(map, scale === 'shared' ? peak : Math.max(...map.values), picture.width, picture.height);
    return { image: overlay(picture, bright), title: words[i] };
  }));
  if (original || panels.length === 0) panels.unshift({ image: picture, lines: ['the picture'] });
  return drawSheet(panels, { columns, title, format });
}

/** The formats of an attention figure, for {@link show}. */
export async function attentionBundle(image: PictureSource, words: readonly string[], maps: readonly AttentionMap[], options: AttentionGridOptions = {}): Promise<MimeBundle> {
  const encoded = await attentionPicture(image, words, maps, options);
  const text = `[attention for each word: ${words.join(' ')}]`;
  return { [`image/${options.format ?? 'png'}`]: encoded.toString('base64'), 'text/plain': options.title ? `${options.title}\n${text}` : text };
}

/**
 * Shows each generated word's attention over the picture, one panel a word.
 *
 * @param maps one a word: (height, width) weights of 0 or more, nested or flat; enlarged smoothly to the picture
 * @throws RangeError when counts or shapes disagree or a weight is negative or not a number
 */
export async function attentionGrid(image: PictureSource, words: readonly string[], maps: readonly AttentionMap[], options: AttentionGridOptions = {}): Promise<void> {
  show(await attentionBundle(image, words, maps, options));
}
