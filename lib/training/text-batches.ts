import { padTexts, type PaddedTexts } from '../classifiers';
import { tf, type Tensor1D } from '../engine';
import { Examples } from './examples';
import type { BatchSource } from './trainer';

export interface LabelledText { readonly inputIds: readonly number[]; readonly label: number }

interface Example { ids: readonly number[]; label: number }

export interface TextBatch extends PaddedTexts {
  /** (B) int32 */
  labels: Tensor1D;
}

/** Batches of texts with a class each, padded to about the longest of the batch; shuffled every epoch by the seed and the epoch's number. */
export class TextBatches implements BatchSource<TextBatch> {
  private readonly examples: Examples<Example>;
  private readonly padId: number;

  constructor(texts: readonly LabelledText[], { padId, ...options }: { batchSize: number; padId: number; seed: number }) {
    this.examples = new Examples([texts.map(({ inputIds: ids, label }) => ({ ids, label }))], options);
    this.padId = padId;
    if (this.examples.isEmpty) throw new Error('There are no texts to train on.');
  }

  get stepsPerEpoch(): number { return this.examples.stepsPerEpoch; }

  order(epoch: number): Uint32Array { return this.examples.order(epoch); }

  batch(order: Uint32Array, index: number): TextBatch {
    const examples = this.examples.batch(order, index);
    return {
      ...padTexts(examples.map(({ ids }) => ids), this.padId, this.examples.paddedLength(examples)),
      labels: tf.tensor1d(examples.map(({ label }) => label), 'int32'),
    };
  }
}
