import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tf, type Tensor, type Tensor4D } from '../engine';
import { ImageLoader, ImageProcessor, type ImageBatch, type ImageProcessorOptions } from '../images';
import { load, MobileNetV2 } from '../models';

/** A frozen network that turns pictures into a grid of features, with the preprocessing its weights expect. */
export class ImageEncoder {
  /** Features per position. */
  readonly featureSize: number;
  /** Positions down and across. */
  readonly grid: readonly [rows: number, columns: number];
  /** Changes whenever the features would: weights and preprocessing. */
  readonly fingerprint: string;

  constructor(readonly network: MobileNetV2, readonly processor: ImageProcessor, readonly folder: string) {
    const size = processor.outputSize;
    if (!size) throw new Error(`${folder}/preprocessor_config.json gives pictures of varying size: set crop_size.`);
    network.freeze().eval();
    this.featureSize = network.featureSize;
    this.grid = [Math.ceil(size.height / 32), Math.ceil(size.width / 32)];
    const weights = fs.readFileSync(path.join(folder, 'model.safetensors'));
    this.fingerprint = createHash('sha256').update(weights).update(JSON.stringify(processor.config)).digest('hex').slice(0, 16);
  }

  /** A MobileNetV2 folder in Hugging Face layout. */
  static load(folder: string, options: ImageProcessorOptions = {}): ImageEncoder {
    return new ImageEncoder(load(folder, { as: MobileNetV2 }).model, ImageProcessor.fromPretrained(folder, options), folder);
  }

  get positions(): number { return this.grid[0] * this.grid[1]; }

  /** Prepared pictures → features (B, positions, featureSize). */
  encode({ data, shape }: ImageBatch): Tensor {
    return tf.tidy(() => tf.reshape(this.network.featureMap(tf.tensor4d(data, shape) as Tensor4D), [shape[0], this.positions, this.featureSize]));
  }

  /** Features of many pictures, a batch at a time, while the next pictures are decoded on other threads. */
  async *encodeAll(images: readonly (string | Uint8Array)[], { batchSize = 32 } = {}): AsyncGenerator<Float32Array> {
    for await (const batch of new ImageLoader(images, this.processor, { batchSize })) {
      const features = this.encode(batch);
      const values = features.dataSync() as Float32Array;
      features.dispose();
      yield values;
    }
  }

  dispose(): void { this.network.dispose(); }
}
