/** Preparing pictures for a network: the counterpart of transformers' image processors; the same file configures both. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../whole-file';
import { ImageProcessorOptions, ImageSource, PixelPreparation } from './pixel-preparation';
import { readPreprocessorConfig, toPreprocessorFile } from './preprocessor-config';
import { ImageError, RgbImage } from './rgb-image';

/** Pictures a batch decodes at a time: enough to keep libvips' threads busy, few enough for memory. */
const DECODED_TOGETHER = 8;

/** Pictures as a network takes them: `data` is NHWC, `shape` [count, height, width, 3]. */
export interface ImageBatch {
  readonly data: Float32Array;
  readonly shape: [number, number, number, number];
}

/**
 * Prepares pictures for a network. Unless told otherwise: stretch to 224×224 with the bilinear filter, no crop, values to [0, 1] and
 * then by ImageNet's mean and standard deviation. Giving `cropSize` alone switches the crop on.
 *
 * @throws Error when the options contradict each other.
 */
export class ImageProcessor extends PixelPreparation {
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
    writeWhole(file, `${JSON.stringify(toPreprocessorFile(this.config, type), null, 2)}\n`);
  }

  /** Network input for several pictures, which must come out with one size. */
  async batch(sources: readonly ImageSource[]): Promise<ImageBatch> {
    if (sources.length === 0) throw new ImageError('batch', 'there are no pictures in it.');
    let data: Float32Array | undefined;
    let first: RgbImage | undefined;
    for (let start = 0; start < sources.length; start += DECODED_TOGETHER) {
      const images = await Promise.all(sources.slice(start, start + DECODED_TOGETHER).map((source) => this.pixels(source)));
      for (const [place, image] of images.entries()) {
        const index = start + place;
        const source = sources[index];
        first ??= image;
        if (image.width !== first.width || image.height !== first.height) {
          const sizes = `comes out ${image.width}×${image.height} where the first is ${first.width}×${first.height}`;
          throw new ImageError(typeof source === 'string' ? source : `image ${index}`, `${sizes}; a batch needs one size: set cropSize.`);
        }
        data ??= new Float32Array(sources.length * image.data.length);
        this.normalize(image, data, index * image.data.length);
      }
    }
    return { data: data!, shape: [sources.length, first!.height, first!.width, 3] };
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
