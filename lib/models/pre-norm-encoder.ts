/**
 * The transformer encoder that CLIP's towers, BLIP's and SigLIP's vision models share (transformers' CLIPEncoder, BlipEncoder,
 * SiglipEncoder): layers normalise before attention and before the MLP. Only the attention's names differ: q_proj, k_proj, v_proj and
 * out_proj, or qkv and projection.
 */
import { Random, tf, type Tensor } from '../engine';
import { activation, attention, Dropout, LayerNorm, Linear, Module, splitHeads, type Activation } from '../nn';

export interface PreNormEncoderConfig {
  hiddenSize: number;
  intermediateSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  hiddenAct: Activation;
  layerNormEps: number;
  attentionDropout: number;
}

interface Attended { output: Tensor; weights: Tensor }
type SelfAttending = Module & { forward(x: Tensor, mask: Tensor | null): Attended };

/** Self attention with a layer for each of query, key and value (CLIPAttention, SiglipAttention). */
export class ProjectedAttention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly out_proj: Linear;
  readonly dropout: Dropout;
  private readonly heads: number;

  constructor({ hiddenSize, numAttentionHeads, attentionDropout }: PreNormEncoderConfig, random: Random) {
    super();
    this.heads = numAttentionHeads;
    this.q_proj = new Linear(hiddenSize, hiddenSize, random);
    this.k_proj = new Linear(hiddenSize, hiddenSize, random);
    this.v_proj = new Linear(hiddenSize, hiddenSize, random);
    this.out_proj = new Linear(hiddenSize, hiddenSize, random);
    this.dropout = new Dropout(attentionDropout, random);
  }

  /** x (B, T, hidden); weights (B, heads, T, T) */
  forward(x: Tensor, mask: Tensor | null): Attended {
    return tf.tidy(() => {
      const [q, k, v] = [this.q_proj, this.k_proj, this.v_proj].map((layer) => splitHeads(layer.forward(x), this.heads));
      const { output, weights } = attention(q, k, v, { mask, dropout: this.dropout });
      return { output: this.out_proj.forward(output), weights } as never;
    });
  }
}

/** Self attention whose query, key and value are one layer, side by side (BlipAttention). */
export class FusedAttention extends Module {
  readonly qkv: Linear;
  readonly projection: Linear;
  readonly dropout: Dropout;
  private readonly heads: number;

  constructor({ hiddenSize, numAttentionHeads, attentionDropout }: PreNormEncoderConfig, random: Random) {
    super();
    this.heads = numAttentionHeads;
    this.qkv = new Linear(hiddenSize, 3 * hiddenSize, random);
    this.projection = new Linear(hiddenSize, hiddenSize, random);
    this.dropout = new Dropout(attentionDropout, random);
  }

  /** x (B, T, hidden); weights (B, heads, T, T) */
  forward(x: Tensor, mask: Tensor | null): Attended {
    return tf.tidy(() => {
      const [q, k, v] = tf.split(this.qkv.forward(x), 3, 2).map((part) => splitHeads(part, this.heads));
      const { output, weights } = attention(q, k, v, { mask, dropout: this.dropout });
      return { output: this.projection.forward(output), weights } as never;
    });
  }
}

/** Two linear layers with an activation between them. */
export class PreNormMLP extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  private readonly act: (x: Tensor) => Tensor;

  constructor({ hiddenSize, intermediateSize, hiddenAct }: PreNormEncoderConfig, random: Random) {
    super();
    this.fc1 = new Linear(hiddenSize, intermediateSize, random);
    this.fc2 = new Linear(intermediateSize, hiddenSize, random);
    this.act = activation(hiddenAct);
  }

  forward(x: Tensor): Tensor { return tf.tidy(() => this.fc2.forward(this.act(this.fc1.forward(x)))); }
}

export class PreNormLayer<A extends SelfAttending = SelfAttending> extends Module {
  readonly layer_norm1: LayerNorm;
  readonly self_attn: A;
  readonly layer_norm2: LayerNorm;
  readonly mlp: PreNormMLP;

  constructor(config: PreNormEncoderConfig, random: Random, Attention: new (config: PreNormEncoderConfig, random: Random) => A) {
    super();
    this.layer_norm1 = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.self_attn = new Attention(config, random);
    this.layer_norm2 = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.mlp = new PreNormMLP(config, random);
  }

  forward(x: Tensor, mask: Tensor | null): { hidden: Tensor; weights: Tensor } {
    return tf.tidy(() => {
      const { output, weights } = this.self_attn.forward(this.layer_norm1.forward(x), mask);
      const attended = tf.add(x, output);
      return { hidden: tf.add(attended, this.mlp.forward(this.layer_norm2.forward(attended))), weights } as never;
    });
  }
}

export interface PreNormEncoderOptions {
  /** Added to the scores; broadcasts to (B, heads, T, T). */
  mask?: Tensor | null;
  outputHiddenStates?: boolean;
  outputAttentions?: boolean;
}

/** All tensors are the caller's to dispose. */
export interface PreNormEncoderOutputs {
  /** (B, T, hidden) */
  lastHiddenState: Tensor;
  /** The input and each layer's output, (B, T, hidden); not normalised */
  hiddenStates?: Tensor[];
  /** Each layer's weights, (B, heads, T, T) */
  attentions?: Tensor[];
}

export class PreNormEncoder<A extends SelfAttending = SelfAttending> extends Module {
  readonly layers: PreNormLayer<A>[];

  constructor(config: PreNormEncoderConfig, random: Random, Attention: new (config: PreNormEncoderConfig, random: Random) => A) {
    super();
    this.layers = Array.from({ length: config.numHiddenLayers }, () => new PreNormLayer(config, random, Attention));
  }

  /** x (B, T, hidden) stays the caller's. */
  forward(x: Tensor, { mask = null, outputHiddenStates, outputAttentions }: PreNormEncoderOptions = {}): PreNormEncoderOutputs {
    return tf.tidy(() => {
      let hidden = tf.clone(x);
      const hiddenStates = [hidden], attentions: Tensor[] = [];
      for (const layer of this.layers) {
        const { hidden: next, weights } = layer.forward(hidden, mask);
        if (outputHiddenStates) hiddenStates.push(next);
        else hidden.dispose();
        hidden = next;
        if (outputAttentions) attentions.push(weights);
        else weights.dispose();
      }
      return {
        lastHiddenState: hidden,
        ...(outputHiddenStates ? { hiddenStates: [...hiddenStates.slice(0, -1), tf.clone(hidden)] } : {}),
        ...(outputAttentions ? { attentions } : {}),
      } as never;
    });
  }
}
