import { matMul, Random, tf, type Tensor } from '../engine';
import { Linear } from './linear';
import { Module } from './module';

export type AttentionActivation = 'tanh' | 'relu';

/**
 * Where to look: score = v · act(projected + query), weights = softmax of the scores, context = weights · features. L positions, A attention
 * size, F features; B images with k queries each.
 *
 * @param features (B, L, F)
 * @param projected (B, L, A): the features' part of the hidden layer
 * @param query (B·k, A)
 * @param scoreWeight (1, A)
 * @returns energy (B, k, L, A) after the activation, weights (B·k, L) that sum to 1, context (B·k, F)
 */
export function attend(features: Tensor, projected: Tensor, query: Tensor, scoreWeight: Tensor, activation: AttentionActivation = 'tanh') {
  const [images, positions, size] = projected.shape as [number, number, number];
  const rows = query.shape[0], perImage = rows / images;
  const [energy, weights, context] = tf.tidy(() => {
    const sum = tf.add(tf.expandDims(projected, 1), tf.reshape(query, [images, perImage, 1, size]));
    const energy = activation === 'tanh' ? tf.tanh(sum) : tf.relu(sum);
    const scores = matMul(tf.reshape(energy, [-1, size]), scoreWeight, false, true);
    const weights = tf.softmax(tf.reshape(scores, [images, perImage, positions]));
    return [energy, tf.reshape(weights, [rows, positions]), tf.reshape(matMul(weights, features), [rows, features.shape[2]!])];
  });
  return { energy, weights, context };
}

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
      const projected = tf.add(matMul(rows, this.featureWeight(), false, true), this.attn.bias!.tensor);
      return tf.reshape(projected, [batch, positions, this.hiddenSize]);
    });
  }

  /** Hidden (B·k, H), k rows an image → context (B·k, F) and weights (B·k, L) that sum to 1. */
  forward(features: Tensor, projected: Tensor, hidden: Tensor): { context: Tensor; weights: Tensor } {
    const [context, weights] = tf.tidy(() => {
      const query = matMul(hidden, this.hiddenWeight(), false, true);
      const attended = attend(features, projected, query, this.v.weight.tensor);
      return [attended.context, attended.weights];
    });
    return { context, weights };
  }
}
