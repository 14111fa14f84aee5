import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tf, type Tensor, type Tensor4D } from '../engine';
import { ImageLoader, ImageProcessor, type ImageBatch, type ImageProcessorOptions } from '../images';
import { ConvolutionalNetwork, DeiT3, load, ResNet, save, ViTForImageClassification, ViTModel, type Checkpoint } from '../models';
import { modelGraph } from '../models/model-graph';
import type { Module } from '../nn';
import { resolveCheckpoint } from '../weights';
import { gridOf } from './caption-attention';

export interface ImageEncoderOptions {
  /** Wins over the checkpoint's preprocessor_config.json. */
  processor?: ImageProcessorOptions;
  /** One position only, the mean of all: what a captioner without attention needs. */
  pool?: boolean;
  /** Features of a ResNet's first so many of its four stages (1 to 3) instead of all: what later stages are trained on. */
  stages?: number;
}

/** Prepared pictures (B, H, W, 3) → features (B, positions, size). */
type Encode = (pixels: Tensor4D) => Tensor;

const positionsOf = (map: Tensor4D): Tensor => tf.reshape(map, [map.shape[0], -1, map.shape[3]]);

function encodeWith(network: Module, stages?: number): { encode: Encode; prefix: number } | undefined {
  if (stages !== undefined) {
    if (!(network instanceof ResNet) || ![1, 2, 3].includes(stages)) {
      throw new Error(`stages is ${stages} of a ${network.constructor.name}: expected 1, 2 or 3 stages of a ResNet, or no such option.`);
    }
    return { prefix: 0, encode: (pixels) => positionsOf(network.mapAfter(pixels, stages)) };
  }
  if (network instanceof ConvolutionalNetwork) return { prefix: 0, encode: (pixels) => positionsOf(network.featureMap(pixels)) };
  const vit = network instanceof ViTForImageClassification ? network.vit : network;
  if (vit instanceof ViTModel || vit instanceof DeiT3) return { prefix: 1, encode: (pixelValues) => vit.forward({ pixelValues }).lastHiddenState };
  return undefined;
}

/** A network that turns pictures into a grid of features, with the preprocessing its weights expect; frozen unless parts are unfrozen. */
export class ImageEncoder {
  /** Features per position. */
  readonly featureSize: number;
  readonly positions: number;
  /** Positions down and across, those before them (`prefix`) left out. */
  readonly grid: readonly [rows: number, columns: number];
  /** Positions before the grid's: 1 for a class token. */
  readonly prefix: number;
  readonly network: Module;
  private readonly forward: Encode;
  private readonly loaded: string;

  private constructor(readonly folder: string, private readonly checkpoint: Checkpoint, readonly processor: ImageProcessor,
    { pool = false, stages }: ImageEncoderOptions) {
    const { outputSize: size } = processor;
    if (!size) throw new Error(`${folder}/preprocessor_config.json gives pictures of varying size: set crop_size.`);
    this.network = checkpoint.model!.freeze().eval();
    const kind = encodeWith(this.network, stages);
    if (!kind) throw new Error(`${folder} holds a ${this.network.constructor.name}, which is no image encoder.`);
    this.prefix = pool ? 0 : kind.prefix;
    this.forward = (pixels) => tf.tidy(() => (pool ? tf.mean(kind.encode(pixels), 1, true) : kind.encode(pixels)));
    let features: number[];
    try { features = tf.tidy(() => this.forward(tf.zeros([1, size.height, size.width, 3])).shape); } catch (error) {
      throw new Error(`${folder}: its network does not take the pictures of its preprocessor: ${(error as Error).message}`);
    }
    [, this.positions, this.featureSize] = features as [number, number, number];
    this.grid = pool ? [1, 1] : gridOf(this.positions - this.prefix, size.width / size.height);
    this.loaded = fingerprintOf(folder, { processor: processor.config, pool, stages });
  }

  /** A checkpoint of a network that gives feature maps or hidden states: MobileNetV2, ResNet, InceptionResNetV2, ViT, DeiT-III. */
  static load(nameOrFolder: string, options: ImageEncoderOptions = {}): ImageEncoder {
    const folder = resolveCheckpoint(nameOrFolder), checkpoint = load(folder);
    try {
      if (!checkpoint.model || !checkpoint.processor) throw new Error(`${folder} lacks ${checkpoint.model ? 'preprocessor_config.json' : 'weights'}: an image encoder needs both.`);
      return new ImageEncoder(folder, checkpoint, new ImageProcessor({ ...checkpoint.processor.config, ...options.processor }), options);
    } catch (error) {
      checkpoint.model?.dispose();
      throw error;
    }
  }

  /** Changes whenever the features would: weights, preprocessing, pooling. Of weights that are trained, it is what they are now. */
  get fingerprint(): string {
    const trained = this.network.trainableParameters();
    if (trained.length === 0) return this.loaded;
    const hash = createHash('sha256').update(this.loaded);
    for (const parameter of trained) hash.update(parameter.save());
    return hash.digest('hex').slice(0, 16);
  }

  /** Prepared pictures → features (B, positions, featureSize). */
  encode({ data, shape }: ImageBatch): Tensor {
    return tf.tidy(() => {
      const pixels = tf.tensor4d(data, shape);
      if (this.network.trainableParameters().length > 0) return this.forward(pixels);
      return modelGraph(this.network, 'features', (_, inputs: { pixels: Tensor4D }) => [this.forward(inputs.pixels)]).run({ pixels })[0]!;
    });
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

  /** Writes network and preprocessing as a checkpoint that `load` reads. */
  save(folder: string): void { save(folder, { ...this.checkpoint, processor: this.processor }); }

  dispose(): void { this.network.dispose(); }
}

function fingerprintOf(folder: string, settings: object): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  const weights = fs.readdirSync(folder).filter((name) => /\.(safetensors|bin|pth|pt)$/.test(name)).sort();
  for (const name of weights) {
    const file = fs.openSync(path.join(folder, name), 'r'), piece = Buffer.alloc(2 ** 22);
    try { for (let read; (read = fs.readSync(file, piece)) > 0;) hash.update(piece.subarray(0, read)); } finally { fs.closeSync(file); }
  }
  return hash.digest('hex').slice(0, 16);
}
