/**
 * From a picture to a network's input: decode, resize, cut out the middle, rescale, normalise. Apart from ./image-processor, which adds
 * the files of checkpoints, so that the decoding threads load (and their garbage collectors walk) no more than they need.
 */
import { centerCrop, CropRounding, cropOffset } from './crop';
import { decodeImage, DEFAULT_MAX_PIXELS } from './decode';
import { RESAMPLE_FILTERS, ResampleFilter, resizeImage, shorterSideSize } from './resize';
import { ImageError, isRgbImage, RgbImage } from './rgb-image';

export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Pixels to network input; names are those of `preprocessor_config.json`, in camelCase. Sizes in pixels. */
export interface ImageProcessorConfig {
  readonly doResize: boolean;
  /** Both sides (aspect ratio lost), or the shorter side (aspect ratio kept, the longer side rounded down). */
  readonly size: ImageSize | { readonly shortestEdge: number };
  readonly resample: ResampleFilter;
  readonly doCenterCrop: boolean;
  readonly cropSize?: ImageSize;
  /** transformers floors an odd margin (default), torchvision and timm round half of it to even. */
  readonly cropRounding: CropRounding;
  readonly doRescale: boolean;
  readonly rescaleFactor: number;
  readonly doNormalize: boolean;
  /** Per channel, red first, on the rescaled values. */
  readonly imageMean: readonly [number, number, number];
  readonly imageStd: readonly [number, number, number];
  /** Turn photographs as their EXIF orientation says before anything else. Default true; the references do not. */
  readonly exifRotation: boolean;
  /** Pictures of more pixels are refused. */
  readonly maxPixels: number;
}

/** Mean and standard deviation per channel that checkpoints were trained with. */
export const NORMALIZATION = {
  imagenet: { imageMean: [0.485, 0.456, 0.406], imageStd: [0.229, 0.224, 0.225] },
  half: { imageMean: [0.5, 0.5, 0.5], imageStd: [0.5, 0.5, 0.5] },
  clip: { imageMean: [0.48145466, 0.4578275, 0.40821073], imageStd: [0.26862954, 0.26130258, 0.27577711] },
} as const satisfies Record<string, Pick<ImageProcessorConfig, 'imageMean' | 'imageStd'>>;

/** A path, the bytes of a file, or pixels. */
export type ImageSource = string | Uint8Array | RgbImage;

/** As {@link ImageProcessorConfig}, with everything optional and `resample` also by Pillow's number. */
export type ImageProcessorOptions = Partial<Omit<ImageProcessorConfig, 'resample'>> & { readonly resample?: ResampleFilter | number };

/** The work of an {@link ImageProcessor}, of which this is the base. */
export class PixelPreparation {
  readonly config: ImageProcessorConfig;
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
      // A key given as undefined means the default.
      ...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as typeof rest),
      resample: filter,
    };
    if (this.config.doCenterCrop && !this.config.cropSize) throw new Error('doCenterCrop is set without a cropSize: give { height, width }.');
    this.values = valueTable(this.config);
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

  /** Resizes and crops pixels; a picture that fits already is returned as it is. */
  fit(image: RgbImage): RgbImage {
    const { doResize, size, resample, doCenterCrop, cropSize, cropRounding } = this.config;
    if (!doResize) return doCenterCrop ? centerCrop(image, cropSize!.width, cropSize!.height, cropRounding) : image;
    const { width, height } = 'shortestEdge' in size ? shorterSideSize(image.width, image.height, size.shortestEdge) : size;
    if (!doCenterCrop) {
      return image.width === width && image.height === height ? image : resizeImage(image, width, height, resample);
    }
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
