import { nativeOp, tf, type Scalar, type Tensor } from '../engine';

/** How often the right class is among the k best, over as many batches as are added. */
export class TopAccuracy {
  private right = 0;
  private count = 0;

  constructor(readonly k: number) {
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`TopAccuracy: k is ${k}; expected a whole number, 1 or more.`);
  }

  /**
   * How many labels count and how many of them are among the best, for `add`. Equal logits at the k-th place all count as among the best.
   *
   * @param logits (…, classes) float32
   * @param labels (…) int32, −100 where not counted
   */
  counts(logits: Tensor, labels: Tensor): { right: Scalar; counted: Scalar } {
    return tf.tidy(() => {
      const targets = tf.reshape(labels, [-1]), counted = tf.cast(tf.notEqual(targets, -100), 'int32');
      const inputs = [tf.reshape(logits, [targets.size, -1]), tf.mul(targets, counted), tf.scalar(this.k, 'int32')];
      const [among] = nativeOp('InTopKV2', { T: { dtype: 'int32' } }, inputs);
      return { right: tf.sum(tf.mul(tf.cast(among, 'int32'), counted)) as Scalar, counted: tf.sum(counted) as Scalar };
    });
  }

  /** Adds a batch's counts. */
  add({ right, counted }: { right: number; counted: number }): void {
    this.right += right;
    this.count += counted;
  }

  /** The share, 0 to 1, of all that was added since the last call; NaN if nothing was. */
  take(): number {
    const share = this.right / this.count;
    this.right = this.count = 0;
    return share;
  }
}
