import { tf, type Tensor2D, type Tensor4D } from '../engine';
import type { CaptionDataset } from '../datasets';
import type { ImageProcessor } from '../images';
import { boundsOf, type Tokenizer } from '../tokenizers';
import { captionRows } from './caption-rows';
import { Examples, type ExamplesOptions } from './examples';
import type { BatchSource } from './trainer';

/** One caption with its picture; ids without the end token. */
interface Example { image: string | Uint8Array; ids: number[] }

export interface PictureBatchesOptions extends ExamplesOptions {
  dataset: CaptionDataset;
  processor: ImageProcessor;
  tokenizer: Tokenizer;
  /** Most tokens of a caption, end token included; longer ones are cut. */
  maxTokens: number;
}

/** B captions, T tokens. */
export interface PictureBatch {
  /** (B, H, W, 3) */
  pixelValues: Tensor4D;
  /** (B, T) int32: start token, words */
  decoderInputIds: Tensor2D;
  /** (B, T) int32: what follows each of them, the end token last; −100 behind it */
  labels: Tensor2D;
}

/** Batches of pictures and captions for networks whose encoder is trained, too: pictures are decoded anew for every batch. */
export class PictureBatches implements BatchSource<PictureBatch> {
  private readonly examples: Examples<Example>;
  private readonly bounds: ReturnType<typeof boundsOf>;

  constructor(private readonly options: PictureBatchesOptions) {
    const { dataset, tokenizer, maxTokens } = options;
    this.bounds = boundsOf(tokenizer);
    const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false }).inputIds;
    this.examples = new Examples(dataset.records.map(({ image, captions }) => captions
      .map((caption) => ({ image, ids: encode(caption).slice(0, maxTokens - 1) }))), options);
    if (this.examples.isEmpty) throw new Error(`${dataset.name} has no captions to train on.`);
  }

  get stepsPerEpoch(): number { return this.examples.stepsPerEpoch; }

  order(epoch: number): Uint32Array { return this.examples.order(epoch); }

  /** Batch `index` of an epoch with the given order; the caller disposes it. */
  async batch(order: Uint32Array, index: number): Promise<PictureBatch> {
    const examples = this.examples.batch(order, index);
    const { data, shape } = await this.options.processor.batch(examples.map(({ image }) => image));
    const vocabulary = { ...this.bounds, padId: this.bounds.startId };
    const { inputIds, labels } = captionRows(examples.map(({ ids }) => ids), vocabulary, this.examples.paddedLength(examples));
    return { pixelValues: tf.tensor4d(data, shape), decoderInputIds: inputIds, labels };
  }
}
