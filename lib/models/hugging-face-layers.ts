/** Layers that several of transformers' checkpoints name alike: `query`, `key`, `value` of an attention, and a linear layer called `dense`. */
import { Random, type Tensor } from '../engine';
import { attention, Dropout, Linear, Module, splitHeads } from '../nn';

export interface SelfAttentionConfig {
  hiddenSize: number;
  numAttentionHeads: number;
  attentionProbsDropoutProb: number;
  /** Whether query, key and value have a bias; default true. */
  qkvBias?: boolean;
}

/** Multi-head self attention without the output projection (ViTSelfAttention, BertSelfAttention). */
export class SelfAttention extends Module {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly dropout: Dropout;
  private readonly heads: number;

  constructor({ hiddenSize, numAttentionHeads, attentionProbsDropoutProb, qkvBias: bias = true }: SelfAttentionConfig, random: Random) {
    super();
    this.heads = numAttentionHeads;
    this.query = new Linear(hiddenSize, hiddenSize, random, { bias });
    this.key = new Linear(hiddenSize, hiddenSize, random, { bias });
    this.value = new Linear(hiddenSize, hiddenSize, random, { bias });
    this.dropout = new Dropout(attentionProbsDropoutProb, random);
  }

  /** (B, T, hidden) → output (B, T, hidden) and weights (B, heads, T, T). */
  forward(x: Tensor, mask: Tensor | null = null): { output: Tensor; weights: Tensor } {
    const [q, k, v] = [this.query, this.key, this.value].map((layer) => splitHeads(layer.forward(x), this.heads));
    return attention(q, k, v, { mask, dropout: this.dropout });
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
