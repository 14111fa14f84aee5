import { Random, tf, type Tensor2D } from '../engine';
import type { CaptionBatch } from '../captioners';
import type { CaptionDataset } from '../datasets';
import type { CaptionVocabulary } from '../tokenizers';
import type { FeatureCache } from './feature-cache';

/** One caption with the id of its picture; ids without start and end. */
interface Example { image: string; ids: number[] }

export interface CaptionBatchesOptions {
  dataset: CaptionDataset;
  vocabulary: CaptionVocabulary;
  features: FeatureCache;
  batchSize: number;
  /** Words kept of a longer caption. */
  maxWords: number;
  /** Shuffles every epoch by this and the epoch's number; without it the order stays. */
  seed?: number;
}

/** Batches of (features, start + words, words + end), padded to the longest caption of the batch. Captions are encoded once. */
export class CaptionBatches {
  private readonly examples: Example[];

  constructor(private readonly options: CaptionBatchesOptions) {
    const { dataset, vocabulary, maxWords } = options;
    this.examples = dataset.records.flatMap((record) => record.captions
      .map((caption) => ({ image: record.id, ids: vocabulary.encode(caption).slice(0, maxWords) }))
      .filter(({ ids }) => ids.length > 0));
    if (this.examples.length === 0) throw new Error(`${dataset.name} has no captions to train on.`);
  }

  get stepsPerEpoch(): number { return Math.ceil(this.examples.length / this.options.batchSize); }

  /** Order of the examples in an epoch: the same for the same seed and epoch, whatever was drawn before. */
  order(epoch: number): Uint32Array {
    const order = Uint32Array.from(this.examples.keys());
    return this.options.seed === undefined ? order : new Random(this.options.seed * 1_000_003 + epoch).shuffle(order);
  }

  /** Batch `index` of an epoch with the given order; the caller disposes it. */
  batch(order: Uint32Array, index: number): CaptionBatch {
    const { batchSize, features, vocabulary } = this.options;
    const examples = Array.from(order.subarray(index * batchSize, (index + 1) * batchSize), (i) => this.examples[i]);
    const steps = Math.max(...examples.map(({ ids }) => ids.length)) + 1;
    const inputs = new Int32Array(examples.length * steps).fill(vocabulary.padId);
    const labels = new Int32Array(examples.length * steps).fill(-100);
    for (const [row, { ids }] of examples.entries()) {
      inputs.set([vocabulary.startId, ...ids], row * steps);
      labels.set([...ids, vocabulary.endId], row * steps);
    }
    return {
      features: tf.tensor(features.read(examples.map(({ image }) => image)), [examples.length, ...features.shape]),
      inputIds: tf.tensor2d(inputs, [examples.length, steps], 'int32') as Tensor2D,
      labels: tf.tensor2d(labels, [examples.length, steps], 'int32') as Tensor2D,
    };
  }
}
