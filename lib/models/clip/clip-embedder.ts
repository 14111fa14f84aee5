import { tf, yieldToEventLoop, type Tensor } from '../../engine';
import type { ImageProcessor, ImageSource } from '../../images';
import type { Tokenizer } from '../../tokenizers';
import { load } from '../load';
import { CLIPModel } from './clip-model';

/** Vectors of length 1, row after row. */
export interface Embeddings { readonly values: Float32Array; readonly count: number; readonly size: number }

export interface EmbedOptions {
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Pictures and texts as points of CLIP's common space, to be compared by cosine. */
export class ClipEmbedder {
  constructor(readonly model: CLIPModel, readonly processor: ImageProcessor, readonly tokenizer: Tokenizer) {}

  /** A CLIP checkpoint with its tokenizer and preprocessing. @throws Error when a part is missing */
  static load(nameOrFolder: string): ClipEmbedder {
    const { model, processor, tokenizer } = load(nameOrFolder, { as: CLIPModel });
    if (processor && tokenizer) return new ClipEmbedder(model, processor, tokenizer);
    model.dispose();
    throw new Error(`${nameOrFolder} lacks ${processor ? 'a tokenizer' : 'preprocessor_config.json'}: CLIP needs both towers' inputs prepared.`);
  }

  /** Longer texts are cut to the model's positions, as the reference does. */
  async texts(texts: readonly string[], { batchSize = 64, ...options }: EmbedOptions = {}): Promise<Embeddings> {
    const maxLength = this.model.config.textConfig.maxPositionEmbeddings;
    return this.embed(texts.length, batchSize, options, (from, to) => {
      const { inputIds, attentionMask } = this.tokenizer.encodeBatch(texts.slice(from, to), { truncation: true, maxLength, padding: 'longest' });
      const tensor = (rows: number[][]) => tf.tensor2d(rows, undefined, 'int32');
      return () => this.model.getTextFeatures({ inputIds: tensor(inputIds), attentionMask: tensor(attentionMask) }).poolerOutput;
    });
  }

  async images(images: readonly ImageSource[], { batchSize = 32, ...options }: EmbedOptions = {}): Promise<Embeddings> {
    return this.embed(images.length, batchSize, options, async (from, to) => {
      const { data, shape } = await this.processor.batch(images.slice(from, to));
      return () => this.model.getImageFeatures({ pixelValues: tf.tensor4d(data, shape) }).poolerOutput;
    });
  }

  /** `prepare` may wait for pictures; what it returns runs inside tidy. */
  private async embed(count: number, batchSize: number, { onProgress, signal }: Omit<EmbedOptions, 'batchSize'>,
    prepare: (from: number, to: number) => (() => Tensor) | Promise<() => Tensor>): Promise<Embeddings> {
    const size = this.model.config.projectionDim, values = new Float32Array(count * size);
    for (let from = 0; from < count; from += batchSize) {
      signal?.throwIfAborted();
      const to = Math.min(count, from + batchSize), features = await prepare(from, to);
      const rows = tf.tidy(() => {
        const pooled = features();
        return tf.div(pooled, tf.norm(pooled, 'euclidean', 1, true));
      });
      values.set(rows.dataSync(), from * size);
      rows.dispose();
      onProgress?.(to, count);
      await yieldToEventLoop();
    }
    return { values, count, size };
  }

  dispose(): void { this.model.dispose(); }
}
