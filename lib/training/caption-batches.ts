import { tf } from '../engine';
import type { CaptionBatch } from '../captioners';
import type { CaptionDataset } from '../datasets';
import type { CaptionIds } from '../tokenizers';
import { captionRows } from './caption-rows';
import { Examples, type ExamplesOptions } from './examples';
import type { PictureFeatures } from './feature-cache';
import type { BatchSource } from './trainer';

/** One caption with the id of its picture; ids without start and end. */
interface Example { image: string; ids: number[] }

export interface CaptionBatchesOptions extends ExamplesOptions {
  dataset: CaptionDataset;
  vocabulary: CaptionIds;
  features: PictureFeatures;
  /** Words kept of a longer caption. */
  maxWords: number;
}

/** Batches of captions with their pictures' features, padded to about the longest caption of the batch. Captions are encoded once. */
export class CaptionBatches implements BatchSource<CaptionBatch> {
  private readonly examples: Examples<Example>;

  constructor(private readonly options: CaptionBatchesOptions) {
    const { dataset, vocabulary, maxWords } = options;
    this.examples = new Examples(dataset.records.map(({ id, captions }) => captions
      .map((caption) => ({ image: id, ids: vocabulary.encode(caption).slice(0, maxWords) }))
      .filter(({ ids }) => ids.length > 0)), options);
    if (this.examples.isEmpty) throw new Error(`${dataset.name} has no captions to train on.`);
  }

  get stepsPerEpoch(): number { return this.examples.stepsPerEpoch; }

  order(epoch: number): Uint32Array { return this.examples.order(epoch); }

  /** Batch `index` of an epoch with the given order; the caller disposes it. */
  batch(order: Uint32Array, index: number): CaptionBatch {
    const { features, vocabulary } = this.options, examples = this.examples.batch(order, index);
    return {
      features: tf.tensor(features.read(examples.map(({ image }) => image)), [examples.length, ...features.shape]),
      ...captionRows(examples.map(({ ids }) => ids), vocabulary, this.examples.paddedLength(examples)),
    };
  }
}
