import { Random, tf, type Tensor } from '../engine';
import { Linear } from './linear';
import { Module } from './module';

/**
 * Additive attention (Bahdanau et al. 2015) over image positions, as report 003 builds it: score = v · tanh(W [feature; hidden] + b).
 * The product over the concatenation is split into W_f·feature, computed once per image, and W_h·hidden, computed per word.
 */
export class AdditiveAttention extends Module {
  readonly attn: Linear;
  readonly v: Linear;

  constructor(readonly featureSize: number, readonly hiddenSize: number, random: Random) {
    super();
    this.attn = new Linear(featureSize + hiddenSize, hiddenSize, random);
    this.v = new Linear(hiddenSize, 1, random, { bias: false });
  }

  /** W_f of the concatenation: (hidden, feature). */
  featureWeight(): Tensor { return tf.slice(this.attn.weight.tensor, [0, 0], [this.hiddenSize, this.featureSize]); }
  /** W_h of the concatenation: (hidden, hidden). */
  hiddenWeight(): Tensor { return tf.slice(this.attn.weight.tensor, [0, this.featureSize], [this.hiddenSize, this.hiddenSize]); }

  /** Features (B, L, F) → W_f·feature + b (B, L, H): the part that does not change from word to word. */
  projectFeatures(features: Tensor): Tensor {
    return tf.tidy(() => {
      const [batch, positions] = features.shape;
      const rows = tf.reshape(features, [-1, this.featureSize]);
      const projected = tf.add(tf.matMul(rows, this.featureWeight() as never, false, true) as Tensor, this.attn.bias!.tensor);
      return tf.reshape(projected, [batch, positions, this.hiddenSize]);
    });
  }

  /** Hidden (B·k, H), k rows an image → context (B·k, F) and weights (B·k, L) that sum to 1. */
  forward(features: Tensor, projected: Tensor, hidden: Tensor): { context: Tensor; weights: Tensor } {
    const [batch, positions] = features.shape;
    const rows = hidden.shape[0], perImage = rows / batch;
    const [context, weights] = tf.tidy(() => {
      const query = tf.matMul(hidden as never, this.hiddenWeight() as never, false, true) as Tensor;
      const energy = tf.tanh(tf.add(tf.expandDims(projected, 1), tf.reshape(query, [batch, perImage, 1, this.hiddenSize])));
      const scores = tf.matMul(tf.reshape(energy, [-1, this.hiddenSize]), this.v.weight.tensor as never, false, true) as Tensor;
      const weights = tf.softmax(tf.reshape(scores, [batch, perImage, positions]));
      const context = tf.matMul(weights as never, features as never) as Tensor;
      return [tf.reshape(context, [rows, this.featureSize]), tf.reshape(weights, [rows, positions])];
    });
    return { context, weights };
  }
}
