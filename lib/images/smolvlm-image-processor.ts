/**
 * SmolVLM's picture preparation (transformers' SmolVLMImageProcessor and Idefics3ImageProcessor, with Pillow's resizing): a picture is
 * scaled to a longest edge, stretched to whole tiles, cut into them, and followed by itself at the size of one tile.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../whole-file';
import { NORMALIZATION, PixelPreparation, type ImageProcessorConfig, type ImageSource } from './pixel-preparation';
import { resizeImage, type ResampleFilter } from './resize';
import { ImageError, type RgbImage } from './rgb-image';
import { readSmolVLMPreprocessorConfig, toSmolVLMPreprocessorFile } from './smolvlm-preprocessor-config';

type Values =
  Pick<ImageProcessorConfig, 'doRescale' | 'rescaleFactor' | 'doNormalize' | 'imageMean' | 'imageStd' | 'exifRotation' | 'maxPixels'>;

/** Names are those of `preprocessor_config.json`, in camelCase. */
export interface SmolVLMImageConfig extends Values {
  readonly doResize: boolean;
  /** The longer side that pictures are scaled to first, smaller ones too. */
  readonly size: { readonly longestEdge: number };
  readonly resample: ResampleFilter;
  /** Tiles and the whole picture; otherwise only the whole picture, at the size of a tile. */
  readonly doImageSplitting: boolean;
  /** Side of a tile. */
  readonly maxImageSize: { readonly longestEdge: number };
}

/** The tiles of several texts' pictures, as a network takes them; texts with fewer are filled with zeros. */
export interface ImageTiles {
  /** NHWC after the texts and their tiles: [texts, tiles, side, side, 3] */
  readonly pixelValues: { readonly data: Float32Array; readonly shape: [number, number, number, number, number] };
  /** 1 for pixels of a picture: [texts, tiles, side, side] */
  readonly pixelAttentionMask: { readonly data: Int32Array; readonly shape: [number, number, number, number] };
  /** Rows of tiles of each picture of each text; 0 where it was not cut. */
  readonly rows: number[][];
  readonly columns: number[][];
}

/** No side becomes longer than this, whatever the config says. */
const LONGEST_SIDE = 4096;

interface Sides { width: number; height: number }

/** Scaled so that the longer side is `longest`; the shorter one is rounded down, then up to an even number. */
function scaledTo({ width, height }: Sides, longest: number): Sides {
  const ratio = width / height;
  const even = (side: number) => Math.max(1, side + (side % 2));
  if (width >= height) return { width: longest, height: even(Math.trunc(longest / ratio)) };
  return { width: even(Math.trunc(longest * ratio)), height: longest };
}

function below({ width, height }: Sides, longest: number): Sides {
  const ratio = width / height;
  if (Math.max(width, height) <= longest) return { width, height };
  if (width >= height) return { width: longest, height: Math.max(1, Math.trunc(longest / ratio)) };
  return { width: Math.max(1, Math.trunc(longest * ratio)), height: longest };
}

/** Stretched to whole tiles: the longer side first, the shorter one from it by the aspect ratio. */
function wholeTiles({ width, height }: Sides, tile: number): Sides {
  const ratio = width / height, up = (side: number) => Math.ceil(side / tile) * tile;
  if (width >= height) return { width: up(width), height: up(Math.trunc(up(width) / ratio)) };
  return { width: up(Math.trunc(up(height) * ratio)), height: up(height) };
}

const resized = (image: RgbImage, { width, height }: Sides, filter: ResampleFilter): RgbImage =>
  (image.width === width && image.height === height ? image : resizeImage(image, width, height, filter));

function cut(image: RgbImage, left: number, top: number, side: number): RgbImage {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + side * 3), y * side * 3);
  }
  return { data, width: side, height: side };
}

/** Prepares pictures for SmolVLM; what is not given is as transformers has it. */
export class SmolVLMImageProcessor {
  readonly config: SmolVLMImageConfig;
  private readonly values: PixelPreparation;

  constructor(options: Partial<SmolVLMImageConfig> = {}) {
    this.values = new PixelPreparation({ ...NORMALIZATION.half, ...options, size: { height: 1, width: 1 }, doResize: false });
    const { doRescale, rescaleFactor, doNormalize, imageMean, imageStd, exifRotation, maxPixels } = this.values.config;
    this.config = {
      doResize: true, size: { longestEdge: 1456 }, resample: 'lanczos', doImageSplitting: true, maxImageSize: { longestEdge: 364 },
      ...options,
      doRescale, rescaleFactor, doNormalize, imageMean, imageStd, exifRotation, maxPixels,
    };
  }

  /**
   * The processor of the checkpoint in `folder`. `overrides` win over the file (`{ doImageSplitting: false }` for fewer tokens).
   *
   * @throws Error naming the file and key that is wrong.
   */
  static fromPretrained(folder: string, overrides: Partial<SmolVLMImageConfig> = {}): SmolVLMImageProcessor {
    return new SmolVLMImageProcessor({ ...readSmolVLMPreprocessorConfig(folder), ...overrides });
  }

  /** Writes `preprocessor_config.json`; `type` is the transformers class to name in it. */
  save(folder: string, type?: string): void {
    mkdirSync(folder, { recursive: true });
    writeWhole(join(folder, 'preprocessor_config.json'), `${JSON.stringify(toSmolVLMPreprocessorFile(this.config, type), null, 2)}\n`);
  }

  /** One picture's tiles row by row and the whole of it last, as 8-bit pixels; only the whole, and 0 rows, where it is not cut. */
  async tiles(source: ImageSource): Promise<{ tiles: RgbImage[]; rows: number; columns: number }> {
    const { doResize, size, resample, doImageSplitting, maxImageSize: { longestEdge: side } } = this.config;
    const image = await this.values.pixels(source);
    const scaled = doResize ? resized(image, below(scaledTo(image, size.longestEdge), LONGEST_SIDE), resample) : image;
    const tile = { width: side, height: side };
    if (!doImageSplitting) return { tiles: [resized(scaled, tile, resample)], rows: 0, columns: 0 };
    const whole = resized(scaled, wholeTiles(scaled, side), resample);
    const rows = whole.height / side, columns = whole.width / side;
    if (rows * columns === 1) return { tiles: [whole], rows: 0, columns: 0 };
    const tiles = Array.from({ length: rows * columns }, (_, i) => cut(whole, (i % columns) * side, Math.floor(i / columns) * side, side));
    return { tiles: [...tiles, resized(whole, tile, resample)], rows, columns };
  }

  /** The pictures of several texts, a list for each of them; at least one picture in all. */
  async batch(texts: readonly (readonly ImageSource[])[]): Promise<ImageTiles> {
    const pictures = await Promise.all(texts.map((sources) => Promise.all(sources.map((source) => this.tiles(source)))));
    const most = Math.max(0, ...pictures.map((text) => text.reduce((sum, { tiles }) => sum + tiles.length, 0)));
    if (most === 0) throw new ImageError('batch', 'there are no pictures in it.');
    const { longestEdge: side } = this.config.maxImageSize;
    const area = side * side, data = new Float32Array(texts.length * most * area * 3), mask = new Int32Array(texts.length * most * area);
    for (const [text, found] of pictures.entries()) {
      for (const [i, tile] of found.flatMap(({ tiles }) => tiles).entries()) {
        const at = (text * most + i) * area;
        this.values.normalize(tile, data, at * 3);
        mask.fill(1, at, at + area);
      }
    }
    return {
      pixelValues: { data, shape: [texts.length, most, side, side, 3] },
      pixelAttentionMask: { data: mask, shape: [texts.length, most, side, side] },
      rows: pictures.map((text) => text.map(({ rows }) => rows)),
      columns: pictures.map((text) => text.map(({ columns }) => columns)),
    };
  }
}
