import { Random, randomUniform, tf, type Tensor } from '../engine';
import { Module } from './module';

/** Inverted dropout (Srivastava et al. 2014; torch.nn.Dropout): zeros a share of the values and scales the rest, in training only. */
export class Dropout extends Module {
  constructor(readonly rate: number, private readonly random: Random) {
    super();
    if (!(rate >= 0 && rate < 1)) throw new Error(`Dropout rate ${rate} is outside [0, 1).`);
  }

  forward(x: Tensor): Tensor {
    if (!this.training || this.rate === 0) return x;
    return tf.tidy(() => {
      const kept = tf.greaterEqual(randomUniform(x.shape, () => this.random.seedPair()), this.rate);
      return tf.mul(x, tf.mul(tf.cast(kept, 'float32'), 1 / (1 - this.rate)));
    });
  }
}
