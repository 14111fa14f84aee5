import { padTexts, type PaddedTexts } from '../classifiers';
import { Random, tf, type Tensor1D } from '../engine';
import type { BatchSource } from './trainer';

export interface LabelledText { readonly inputIds: readonly number[]; readonly label: number }

export interface TextBatch extends PaddedTexts {
  /** (B) int32 */
  labels: Tensor1D;
}

/** Batches of texts with a class each, padded to the longest of the batch; shuffled every epoch by the seed and the epoch's number. */
export class TextBatches implements BatchSource<TextBatch> {
  constructor(
    private readonly examples: readonly LabelledText[], private readonly options: { batchSize: number; padId: number; seed: number },
  ) {
    if (examples.length === 0) throw new Error('There are no texts to train on.');
  }

  get stepsPerEpoch(): number { return Math.ceil(this.examples.length / this.options.batchSize); }

  order(epoch: number): Uint32Array {
    return new Random(this.options.seed * 1_000_003 + epoch).shuffle(Uint32Array.from(this.examples.keys()));
  }

  batch(order: Uint32Array, index: number): TextBatch {
    const { batchSize, padId } = this.options;
    const examples = Array.from(order.subarray(index * batchSize, (index + 1) * batchSize), (i) => this.examples[i]);
    return {
      ...padTexts(examples.map(({ inputIds }) => inputIds), padId),
      labels: tf.tensor1d(examples.map(({ label }) => label), 'int32'),
    };
  }
}
