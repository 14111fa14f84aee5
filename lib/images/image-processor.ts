/**
 * From a picture to a network's input: decode, resize, cut out the middle, rescale, normalise. The counterpart of transformers' image
 * processors; the same file configures both.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { centerCrop, cropOffset } from './crop';
import { decodeImage, DEFAULT_MAX_PIXELS } from './decode';
import { ImageProcessorConfig, ImageSize, NORMALIZATION, readPreprocessorConfig, toPreprocessorFile } from './preprocessor-config';
import { RESAMPLE_FILTERS, ResampleFilter, resizeImage, shorterSideSize } from './resize';
import { ImageError, isRgbImage, RgbImage } from './rgb-image';

/** A path, the bytes of a file, or pixels. */
export type ImageSource = string | Uint8Array | RgbImage;

/** Pictures as a network takes them: `data` is NHWC, `shape` [count, height, width, 3]. */
export interface ImageBatch {
  readonly data: Float32Array;
  readonly shape: [number, number, number, number];
}

/** As {@link ImageProcessorConfig}, with everything optional and `resample` also by Pillow's number. */
export type ImageProcessorOptions = Partial<Omit<ImageProcessorConfig, 'resample'>> & { readonly resample?: ResampleFilter | number };

/**
 * Prepares pictures for a network. Unless told otherwise: stretch to 224×224 with the bilinear filter, no crop, values to [0, 1] and
 * then by ImageNet's mean and standard deviation. Giving `cropSize` alone switches the crop on.
 *
 * @throws Error when the options contradict each other.
 */
export class ImageProcessor {
  readonly config: ImageProcessorConfig;
  /** Class name that `save` writes for Python's `AutoImageProcessor`. */
  readonly type: string | undefined;
  /** Value of a byte after rescaling and normalising, for each channel: 3 × 256. */
  private readonly values: Float32Array;

  constructor(options: ImageProcessorOptions = {}) {
    const { resample = 'bilinear', ...rest } = options;
    const filter = typeof resample === 'number' ? RESAMPLE_FILTERS[resample] : resample;
    if (!RESAMPLE_FILTERS.includes(filter)) {
      throw new Error(`resample is ${resample}; expected 0 to 5 or one of ${RESAMPLE_FILTERS.join(', ')}.`);
    }
    this.config = {
      doResize: true,
      size: { height: 224, width: 224 },
      doCenterCrop: rest.cropSize !== undefined,
      cropRounding: 'floor',
      doRescale: true,
      rescaleFactor: 1 / 255,
      doNormalize: true,
      ...NORMALIZATION.imagenet,
      exifRotation: true,
      maxPixels: DEFAULT_MAX_PIXELS,
      ...rest,
      resample: filter,
    };
    if (this.config.doCenterCrop && !this.config.cropSize) throw new Error('doCenterCrop is set without a cropSize: give { height, width }.');
    this.values = valueTable(this.config);
  }

  /**
   * The processor of the checkpoint in `folder`. `overrides` win over the file (`{ exifRotation: false }` for exact comparisons).
   *
   * @throws Error naming the file and key that is wrong.
   */
  static fromPretrained(folder: string, overrides: ImageProcessorOptions = {}): ImageProcessor {
    return new ImageProcessor({ ...readPreprocessorConfig(folder), ...overrides });
  }

  /** Writes `preprocessor_config.json` into `folder`; `type` is the transformers class to name in it. */
  save(folder: string, type?: string): void {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'preprocessor_config.json');
    writeFileSync(`${file}.${process.pid}.tmp`, `${JSON.stringify(toPreprocessorFile(this.config, type), null, 2)}\n`);
    renameSync(`${file}.${process.pid}.tmp`, file);
  }

  /** Height and width that every picture comes out with; undefined when they depend on the picture. */
  get outputSize(): ImageSize | undefined {
    const { doCenterCrop, cropSize, doResize, size } = this.config;
    if (doCenterCrop) return cropSize;
    return doResize && !('shortestEdge' in size) ? size : undefined;
  }

  /** Decodes (if need be), resizes and crops: what the network will see, as 8-bit pixels. */
  async pixels(source: ImageSource): Promise<RgbImage> {
    const image =
      typeof source === 'string' || source instanceof Uint8Array ? await decodeImage(source, this.config) : isRgbImage(source) && source;
    if (!image) throw new ImageError('image in memory', 'expected a path, the bytes of a file, or { data, width, height }.');
    try {
      return this.fit(image);
    } catch (error) {
      if (error instanceof ImageError && typeof source === 'string') throw new ImageError(source, error.message, { cause: error });
      throw error;
    }
  }

  /** Network input for one picture: HWC floats. */
  async process(source: ImageSource): Promise<Float32Array> {
    return this.normalize(await this.pixels(source));
  }

  /** Network input for several pictures, which must come out with one size. */
  async batch(sources: readonly ImageSource[]): Promise<ImageBatch> {
    if (sources.length === 0) throw new ImageError('batch', 'there are no pictures in it.');
    let data: Float32Array | undefined;
    let first: RgbImage | undefined;
    for (const [index, source] of sources.entries()) {
      const image = await this.pixels(source);
      first ??= image;
      if (image.width !== first.width || image.height !== first.height) {
        throw new ImageError(
          typeof source === 'string' ? source : `image ${index}`,
          `comes out ${image.width}×${image.height} where the first is ${first.width}×${first.height}; a batch needs one size: set cropSize.`,
        );
      }
      data ??= new Float32Array(sources.length * image.data.length);
      this.normalize(image, data, index * image.data.length);
    }
    return { data: data!, shape: [sources.length, first!.height, first!.width, 3] };
  }

  /** Resizes and crops pixels. */
  fit(image: RgbImage): RgbImage {
    const { doResize, size, resample, doCenterCrop, cropSize, cropRounding } = this.config;
    if (!doResize) return doCenterCrop ? centerCrop(image, cropSize!.width, cropSize!.height, cropRounding) : image;
    const { width, height } = 'shortestEdge' in size ? shorterSideSize(image.width, image.height, size.shortestEdge) : size;
    if (!doCenterCrop) return resizeImage(image, width, height, resample);
    // Only the part that survives the crop is resized, with a frame of black added where the crop is larger.
    const across = overlap(width, cropSize!.width, cropOffset(width, cropSize!.width, cropRounding));
    const down = overlap(height, cropSize!.height, cropOffset(height, cropSize!.height, cropRounding));
    const part = { left: across.from, top: down.from, width: across.length, height: down.length };
    return centerCrop(resizeImage(image, width, height, resample, part), cropSize!.width, cropSize!.height, cropRounding);
  }

  /** Rescales and normalises pixels into `into` at `offset`, or into a new array. HWC. */
  normalize(image: RgbImage, into: Float32Array = new Float32Array(image.data.length), offset = 0): Float32Array {
    const { data } = image;
    const values = this.values;
    for (let i = 0; i < data.length; i += 3) {
      into[offset + i] = values[data[i]];
      into[offset + i + 1] = values[256 + data[i + 1]];
      into[offset + i + 2] = values[512 + data[i + 2]];
    }
    return into;
  }

  /** Pixels back from network input, HWC: for showing what a network saw. Values outside the range are clipped. */
  denormalize(input: Float32Array, width: number, height: number): RgbImage {
    if (input.length !== width * height * 3) {
      throw new ImageError('image in memory', `expected ${width}×${height}×3 values, found ${input.length}.`);
    }
    const { doNormalize, imageMean, imageStd, doRescale, rescaleFactor } = this.config;
    const data = new Uint8Array(input.length);
    for (let i = 0; i < data.length; i++) {
      const value = doNormalize ? input[i] * imageStd[i % 3] + imageMean[i % 3] : input[i];
      data[i] = Math.max(0, Math.min(255, Math.round(doRescale ? value / rescaleFactor : value)));
    }
    return { data, width, height };
  }
}

/** The part of a resized side that a crop keeps. */
function overlap(size: number, crop: number, offset: number): { from: number; length: number } {
  return { from: Math.max(0, offset), length: Math.min(size, crop) };
}

/** Rescaling rounds to float32 before mean and deviation (themselves float32) apply, as in the reference. */
function valueTable({ doRescale, rescaleFactor, doNormalize, imageMean, imageStd }: ImageProcessorConfig): Float32Array {
  const table = new Float32Array(3 * 256);
  for (let channel = 0; channel < 3; channel++) {
    for (let byte = 0; byte < 256; byte++) {
      const value = Math.fround(doRescale ? byte * rescaleFactor : byte);
      const centred = Math.fround(value - Math.fround(imageMean[channel]));
      table[channel * 256 + byte] = doNormalize ? centred / Math.fround(imageStd[channel]) : value;
    }
  }
  return table;
}
