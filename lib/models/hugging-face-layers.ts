/** Layers that several of transformers' checkpoints name alike: `query`, `key`, `value` of an attention, a linear layer called `dense`. */
import { Random, tf, type Tensor } from '../engine';
import { attention, Dropout, Linear, Module, splitHeads } from '../nn';

export interface SelfAttentionConfig {
  hiddenSize: number;
  numAttentionHeads: number;
  attentionProbsDropoutProb: number;
  /** Whether query, key and value have a bias; default true. */
  qkvBias?: boolean;
}

export interface SelfAttentionInputs {
  /** Added to the scores; broadcasts to (B, heads, T, positions). */
  mask?: Tensor | null;
  /** Keys and values (B, heads, past, size) that come before the new ones. */
  past?: { key: Tensor; value: Tensor };
  /** See `attention`. */
  probe?: Tensor;
}

/** key and value (B, heads, positions, size): all that was looked at. */
export interface SelfAttended { output: Tensor; weights: Tensor; key: Tensor; value: Tensor }

/** Multi-head attention without the output projection (ViTSelfAttention, BertSelfAttention); `encoderSize` for states of another width. */
export class SelfAttention extends Module {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly dropout: Dropout;
  private readonly heads: number;

  constructor(config: SelfAttentionConfig, random: Random, encoderSize = config.hiddenSize) {
    super();
    const { hiddenSize, numAttentionHeads, attentionProbsDropoutProb, qkvBias: bias = true } = config;
    this.heads = numAttentionHeads;
    this.query = new Linear(hiddenSize, hiddenSize, random, { bias });
    this.key = new Linear(encoderSize, hiddenSize, random, { bias });
    this.value = new Linear(encoderSize, hiddenSize, random, { bias });
    this.dropout = new Dropout(attentionProbsDropoutProb, random);
  }

  /** (B, T, hidden) → output (B, T, hidden) and weights (B, heads, T, past + T). */
  forward(x: Tensor, { mask = null, past, probe }: SelfAttentionInputs = {}): SelfAttended {
    const [query, newKey, newValue] = [this.query, this.key, this.value].map((layer) => splitHeads(layer.forward(x), this.heads));
    const key = past ? tf.concat([past.key, newKey], 2) : newKey, value = past ? tf.concat([past.value, newValue], 2) : newValue;
    return { ...attention(query, key, value, { mask, dropout: this.dropout, probe }), key, value };
  }

  /**
   * Looks at an encoder's states (B, S, encoder width), or at the keys and values that an earlier call made of them. These may be fewer rows
   * than x has: each is looked at by as many neighbouring rows of x (the beams of one picture), and none is copied.
   *
   * @param x (B · n, T, hidden)
   * @param probe zeros (B · n, heads, T, S)
   * @returns output (B · n, T, hidden) and weights (B · n, heads, T, S)
   */
  toEncoder(x: Tensor, encoder: Tensor | { key: Tensor; value: Tensor }, probe?: Tensor): SelfAttended {
    const [key, value] = 'key' in encoder ? [tf.clone(encoder.key), tf.clone(encoder.value)]
      : [this.key, this.value].map((layer) => splitHeads(layer.forward(encoder), this.heads));
    const [rows, length, width] = x.shape as [number, number, number], [batch, , positions] = key.shape as [number, number, number];
    const query = splitHeads(tf.reshape(this.query.forward(x), [batch, rows / batch * length, width]), this.heads);
    if (probe && rows !== batch) {
      const together = tf.transpose(tf.reshape(probe, [batch, rows / batch, this.heads, length, positions]), [0, 2, 1, 3, 4]);
      probe = tf.reshape(together, [batch, this.heads, rows / batch * length, positions]);
    }
    const { output, weights } = attention(query, key, value, { dropout: this.dropout, probe });
    if (rows === batch) return { output, weights, key, value };
    const apart = tf.reshape(weights, [batch, this.heads, rows / batch, length, positions]);
    const weightsOfRows = tf.reshape(tf.transpose(apart, [0, 2, 1, 3, 4]), [rows, this.heads, length, positions]);
    return { output: tf.reshape(output, [rows, length, width]), weights: weightsOfRows, key, value };
  }
}

/** A linear layer called `dense`, with an activation before or after it. */
export class Dense extends Module {
  readonly dense: Linear;

  constructor(inFeatures: number, outFeatures: number, random: Random) {
    super();
    this.dense = new Linear(inFeatures, outFeatures, random);
  }

  forward(x: Tensor): Tensor { return this.dense.forward(x); }
}
