/** A regression that trains in an instant, with dropout, so that a resume must also restore its randomness. */
import { Random, tf, type Scalar, type Tensor } from '../../lib/engine';
import { Dropout, Linear, Module } from '../../lib/nn';
import type { BatchSource } from '../../lib/training';

export interface ToyBatch { x: Tensor; y: Tensor }

/** y = 2·sum(x) − 1, learnt through a hidden layer. */
export class ToyNet extends Module {
  readonly hidden: Linear;
  readonly out: Linear;
  private readonly dropout: Dropout;
  constructor(random: Random) {
    super();
    this.hidden = new Linear(4, 16, random);
    this.out = new Linear(16, 1, random);
    this.dropout = new Dropout(0.2, random);
  }
  loss({ x, y }: ToyBatch): Scalar {
    return tf.tidy(() => tf.mean(tf.squaredDifference(this.out.forward(this.dropout.forward(tf.relu(this.hidden.forward(x)))), y)) as Scalar);
  }
}

/** So many examples in batches of `size`, the last with what is left, shuffled by the epoch. */
export const toyBatches = (examples: number, size: number): BatchSource<ToyBatch> => ({
  stepsPerEpoch: Math.ceil(examples / size),
  order: (epoch) => new Random(100 + epoch).shuffle(Uint32Array.from({ length: examples }, (_, i) => i)),
  batch: (order, index) => {
    const rows = Array.from(order.subarray(index * size, (index + 1) * size), (i) => Array.from({ length: 4 }, (_, j) => Math.sin(i * 4 + j)));
    return { x: tf.tensor2d(rows), y: tf.tensor2d(rows.map((row) => [2 * row.reduce((a, b) => a + b, 0) - 1])) };
  },
});
