import { tf, type Tensor2D, type Tensor4D } from '../engine';
import type { CaptionDataset } from '../datasets';
import type { ImageProcessor } from '../images';
import type { Tokenizer } from '../tokenizers';
import { Examples, type ExamplesOptions } from './examples';
import type { BatchSource } from './trainer';

/** One caption with its picture; ids with the end token. */
interface Example { image: string | Uint8Array; ids: number[] }

export interface PictureBatchesOptions extends ExamplesOptions {
  dataset: CaptionDataset;
  processor: ImageProcessor;
  tokenizer: Tokenizer;
  /** Most tokens of a caption, end token included; longer ones are cut. */
  maxTokens: number;
  /** Stands before every caption, is read and not scored. */
  prompt?: string;
}

/** B captions, T tokens. */
export interface PictureBatch {
  /** (B, H, W, 3) */
  pixelValues: Tensor4D;
  /** (B, T) int32: start token, prompt, words */
  decoderInputIds: Tensor2D;
  /** (B, T) int32: what follows each of them, the end token last; −100 in the prompt and behind the end */
  labels: Tensor2D;
}

/** Batches of pictures and captions for networks whose encoder is trained, too: pictures are decoded anew for every batch. */
export class PictureBatches implements BatchSource<PictureBatch> {
  private readonly examples: Examples<Example>;
  private readonly prompt: readonly number[];
  private readonly startId: number;

  constructor(private readonly options: PictureBatchesOptions) {
    const { dataset, tokenizer, maxTokens, prompt = '' } = options;
    const end = tokenizer.eosTokenId ?? tokenizer.sepTokenId, start = tokenizer.bosTokenId ?? tokenizer.clsTokenId ?? end;
    if (end === null || start === null) throw new Error('The tokenizer names neither an end token nor a separator: set eos_token in tokenizer_config.json.');
    this.startId = start;
    const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false }).inputIds;
    this.prompt = encode(prompt);
    this.examples = new Examples(dataset.records.map(({ image, captions }) => captions
      .map((caption) => ({ image, ids: [...encode(caption).slice(0, maxTokens - 1), end] }))), options);
    if (this.examples.isEmpty) throw new Error(`${dataset.name} has no captions to train on.`);
  }

  get stepsPerEpoch(): number { return this.examples.stepsPerEpoch; }

  order(epoch: number): Uint32Array { return this.examples.order(epoch); }

  /** Batch `index` of an epoch with the given order; the caller disposes it. */
  async batch(order: Uint32Array, index: number): Promise<PictureBatch> {
    const examples = this.examples.batch(order, index);
    const { data, shape } = await this.options.processor.batch(examples.map(({ image }) => image));
    const before = [this.startId, ...this.prompt], steps = before.length - 1 + this.examples.paddedLength(examples);
    const inputs = new Int32Array(examples.length * steps).fill(this.startId), labels = new Int32Array(examples.length * steps).fill(-100);
    for (const [row, { ids }] of examples.entries()) {
      inputs.set([...before, ...ids.slice(0, -1)], row * steps);
      labels.set(ids, row * steps + before.length - 1);
    }
    const matrix = (values: Int32Array) => tf.tensor2d(values, [examples.length, steps], 'int32');
    return { pixelValues: tf.tensor4d(data, shape), decoderInputIds: matrix(inputs), labels: matrix(labels) };
  }
}
