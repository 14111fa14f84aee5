import { Random, tf, type Tensor, type Tensor2D, type Tensor4D } from '../engine';
import type { CaptionDataset } from '../datasets';
import type { ImageProcessor } from '../images';
import type { Tokenizer } from '../tokenizers';

/** One caption with its picture; ids with the end token. */
interface Example { image: string | Uint8Array; ids: number[] }
/** Where a picture's examples stand among all. */
interface Picture { first: number; count: number }

export interface PictureBatchesOptions {
  dataset: CaptionDataset;
  processor: ImageProcessor;
  tokenizer: Tokenizer;
  batchSize: number;
  /** Most tokens of a caption, end token included; longer ones are cut. */
  maxTokens: number;
  /** Stands before every caption, is read and not scored. */
  prompt?: string;
  /** 'all' captions of every picture in each epoch (default), or 'one', drawn anew every epoch: shorter epochs over the same pictures. */
  captionsPerEpoch?: 'all' | 'one';
  /** Shuffles every epoch by this and the epoch's number; without it the order stays. */
  seed?: number;
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
export class PictureBatches {
  private readonly examples: Example[];
  private readonly pictures: Picture[] = [];
  private readonly prompt: readonly number[];
  private readonly startId: number;

  constructor(private readonly options: PictureBatchesOptions) {
    const { dataset, tokenizer, maxTokens, prompt = '' } = options;
    const end = tokenizer.eosTokenId ?? tokenizer.sepTokenId, start = tokenizer.bosTokenId ?? tokenizer.clsTokenId ?? end;
    if (end === null || start === null) throw new Error('The tokenizer names neither an end token nor a separator: set eos_token in tokenizer_config.json.');
    this.startId = start;
    const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false }).inputIds;
    this.prompt = encode(prompt);
    this.examples = [];
    for (const { image, captions } of dataset.records) {
      if (captions.length === 0) continue;
      this.pictures.push({ first: this.examples.length, count: captions.length });
      this.examples.push(...captions.map((caption) => ({ image, ids: [...encode(caption).slice(0, maxTokens - 1), end] })));
    }
    if (this.examples.length === 0) throw new Error(`${dataset.name} has no captions to train on.`);
  }

  private get examplesPerEpoch(): number { return this.options.captionsPerEpoch === 'one' ? this.pictures.length : this.examples.length; }

  get stepsPerEpoch(): number { return Math.ceil(this.examplesPerEpoch / this.options.batchSize); }

  /** The examples of an epoch in order: the same for the same seed and epoch, whatever was drawn before. */
  order(epoch: number): Uint32Array {
    const { seed, captionsPerEpoch } = this.options;
    const random = seed === undefined ? undefined : new Random(seed * 1_000_003 + epoch);
    const order = captionsPerEpoch === 'one'
      ? Uint32Array.from(this.pictures, ({ first, count }) => first + (random ? random.integer(count) : epoch % count))
      : Uint32Array.from(this.examples.keys());
    return random ? random.shuffle(order) : order;
  }

  /** Batch `index` of an epoch with the given order; the caller disposes it. */
  async batch(order: Uint32Array, index: number): Promise<PictureBatch> {
    const { batchSize, processor } = this.options;
    const examples = Array.from(order.subarray(index * batchSize, (index + 1) * batchSize), (i) => this.examples[i]);
    const { data, shape } = await processor.batch(examples.map(({ image }) => image));
    const before = [this.startId, ...this.prompt], steps = before.length - 1 + Math.max(...examples.map(({ ids }) => ids.length));
    const inputs = new Int32Array(examples.length * steps).fill(this.startId), labels = new Int32Array(examples.length * steps).fill(-100);
    for (const [row, { ids }] of examples.entries()) {
      inputs.set([...before, ...ids.slice(0, -1)], row * steps);
      labels.set(ids, row * steps + before.length - 1);
    }
    const matrix = (values: Int32Array) => tf.tensor2d(values, [examples.length, steps], 'int32');
    return { pixelValues: tf.tensor4d(data, shape), decoderInputIds: matrix(inputs), labels: matrix(labels) };
  }

  /** Mean of `loss` over all batches, each weighted alike as in training. */
  async meanLoss(loss: (batch: PictureBatch) => Tensor): Promise<number> {
    const order = this.order(0);
    let sum = 0;
    for (let i = 0; i < this.stepsPerEpoch; i++) {
      const batch = await this.batch(order, i), value = loss(batch);
      sum += value.dataSync()[0];
      tf.dispose([value, ...Object.values(batch)] as Tensor[]);
    }
    return sum / this.stepsPerEpoch;
  }
}
