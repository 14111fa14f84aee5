import { customGradient, gatherRows, Random, tf, type Tensor, type Tensor1D } from '../engine';
import { normal } from './initialization';
import { Module, Parameter } from './module';

/** torch.nn.Embedding: weight (vocabulary, size), standard normal at the start, the padding row zero and never trained. */
export class Embedding extends Module {
  readonly weight: Parameter;

  constructor(readonly numEmbeddings: number, readonly embeddingDim: number, random: Random, readonly paddingIdx?: number) {
    super();
    const weight = normal([numEmbeddings, embeddingDim], 1, random);
    if (paddingIdx === undefined) this.weight = new Parameter(weight);
    else {
      this.weight = new Parameter(tf.tidy(() => tf.mul(weight, tf.cast(tf.notEqual(tf.range(0, numEmbeddings, 1, 'int32'), paddingIdx), 'float32').expandDims(1))));
      weight.dispose();
    }
  }

  /** int32 ids of any shape (…) → (…, embeddingDim) */
  forward(ids: Tensor): Tensor {
    const { numEmbeddings, embeddingDim, paddingIdx } = this;
    return customGradient([this.weight.tensor], (save) => {
      const rows = tf.reshape(ids, [-1]);
      save(rows);
      return tf.reshape(gatherRows(this.weight.tensor, rows), [...ids.shape, embeddingDim]);
    }, (dy, [rows]) => {
      const gradient = tf.unsortedSegmentSum(tf.reshape(dy, [-1, embeddingDim]), rows as Tensor1D, numEmbeddings);
      if (paddingIdx === undefined) return [gradient];
      const trained = tf.cast(tf.notEqual(tf.range(0, numEmbeddings, 1, 'int32'), paddingIdx), 'float32');
      return [tf.mul(gradient, tf.expandDims(trained, 1))];
    });
  }
}
