/** Layers of GPT-2 (./gpt2) and their configuration. */
import { Random, tf, type Tensor } from '../engine';
import { activation, attention, Conv1D, Dropout, LayerNorm, Module, splitHeads, type Activation } from '../nn';
import { withNext, type KeyValues } from './causal-language-model';

/** The keys of config.json that the network depends on. */
export interface GPT2Config {
  vocabSize: number;
  nPositions: number;
  nEmbd: number;
  nLayer: number;
  nHead: number;
  /** Width inside the MLP; null is 4 · nEmbd. */
  nInner: number | null;
  activationFunction: Activation;
  layerNormEpsilon: number;
  addCrossAttention: boolean;
  /** Divide the scores by √(head size). */
  scaleAttnWeights: boolean;
  /** Divide the scores by the layer's number, too. */
  scaleAttnByInverseLayerIdx: boolean;
  embdPdrop: number;
  attnPdrop: number;
  residPdrop: number;
}

/** The published 124 M parameter model. */
export const gpt2Defaults: GPT2Config = {
  vocabSize: 50257, nPositions: 1024, nEmbd: 768, nLayer: 12, nHead: 12, nInner: null, activationFunction: 'gelu_new',
  layerNormEpsilon: 1e-5,
  addCrossAttention: false, scaleAttnWeights: true, scaleAttnByInverseLayerIdx: false, embdPdrop: 0.1, attnPdrop: 0.1, residPdrop: 0.1,
};

export interface BlockInputs { mask: Tensor | null; past?: KeyValues; encoder?: Tensor; encoderMask: Tensor | null }
export interface Attended { output: Tensor; weights: Tensor; key: Tensor; value: Tensor }

class GPT2Attention extends Module {
  readonly c_attn: Conv1D;
  readonly q_attn?: Conv1D;
  readonly c_proj: Conv1D;
  readonly attn_dropout: Dropout;
  readonly resid_dropout: Dropout;
  private readonly scale: number;

  constructor(private readonly config: GPT2Config, random: Random, layer: number, cross: boolean) {
    super();
    const { nEmbd, nHead, nLayer } = config;
    // Cross attention's c_attn makes keys and values only.
    this.c_attn = new Conv1D(nEmbd, (cross ? 2 : 3) * nEmbd, random);
    if (cross) this.q_attn = new Conv1D(nEmbd, nEmbd, random);
    this.c_proj = new Conv1D(nEmbd, nEmbd, random, residualStd(nLayer));
    this.attn_dropout = new Dropout(config.attnPdrop, random);
    this.resid_dropout = new Dropout(config.residPdrop, random);
    this.scale = (config.scaleAttnWeights ? (nEmbd / nHead) ** -0.5 : 1) / (config.scaleAttnByInverseLayerIdx ? layer + 1 : 1);
  }

  private heads(x: Tensor): Tensor { return splitHeads(x, this.config.nHead); }

  private attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | null): Attended {
    const { output, weights } = attention(query, key, value, { mask, scale: this.scale, dropout: this.attn_dropout });
    return { output: this.resid_dropout.forward(this.c_proj.forward(output)), weights, key, value };
  }

  /** x (B, T, nEmbd); past keys and values come before the new ones. */
  toItself(x: Tensor, mask: Tensor | null, past?: KeyValues): Attended {
    const [query, key, value] = tf.split(this.c_attn.forward(x), 3, 2).map((part) => this.heads(part));
    if (!past) return this.attend(query, key, value, mask);
    return this.attend(query, withNext(past.key, key, past.place), withNext(past.value, value, past.place), mask);
  }

  /**
   * x (B, T, nEmbd) to an encoder's states (B, S, nEmbd), or to the keys and values that an earlier step made of them. There may be fewer
   * images than rows: then row r looks at image r / (rows / images).
   */
  toEncoder(x: Tensor, encoder: Tensor | undefined, mask: Tensor | null, past?: KeyValues): Attended {
    const query = this.heads(this.q_attn!.forward(x));
    const known = past?.crossKey && past.crossValue ? [tf.clone(past.crossKey), tf.clone(past.crossValue)] : undefined;
    const [key, value] = known ?? this.encoderKeys(encoder!);
    const [rows, heads, length, size] = query.shape as number[], images = key.shape[0], positions = key.shape[2]!;
    if (images === rows) return this.attend(query, key, value, mask);
    // Beams of one image ask the same keys: they stand in a row as if they were positions of one text.
    const swap = (t: Tensor, a: number, b: number, last: number) =>
      tf.transpose(tf.reshape(t, [images, a, b, length, last]), [0, 2, 1, 3, 4]);
    const beams = rows / images;
    const asked = tf.reshape(swap(query, beams, heads, size), [images, heads, beams * length, size]);
    const { output, weights } = this.attend(asked, key, value, mask);
    const weightsOfRows = tf.reshape(swap(weights, heads, beams, positions), [rows, heads, length, positions]);
    return { output: tf.reshape(output, [rows, length, heads * size]), key, value, weights: weightsOfRows };
  }

  /** An encoder's states (B, S, nEmbd) as keys and values (B, heads, S, size). */
  encoderKeys(encoder: Tensor): [key: Tensor, value: Tensor] {
    const [key, value] = tf.split(this.c_attn.forward(encoder), 2, 2).map((part) => this.heads(part));
    return [key, value];
  }
}

/** Layers that end on the residual path start smaller by the root of their number, two a block. */
const residualStd = (layers: number): number => 0.02 / Math.sqrt(2 * layers);

class MLP extends Module {
  readonly c_fc: Conv1D;
  readonly c_proj: Conv1D;
  readonly dropout: Dropout;
  private readonly act: (x: Tensor) => Tensor;

  constructor({ nEmbd, nInner, nLayer, activationFunction, residPdrop }: GPT2Config, random: Random) {
    super();
    const inner = nInner ?? 4 * nEmbd;
    this.c_fc = new Conv1D(nEmbd, inner, random);
    this.c_proj = new Conv1D(inner, nEmbd, random, residualStd(nLayer));
    this.dropout = new Dropout(residPdrop, random);
    this.act = activation(activationFunction);
  }

  forward(x: Tensor): Tensor { return this.dropout.forward(this.c_proj.forward(this.act(this.c_fc.forward(x)))); }
}

export class Block extends Module {
  readonly ln_1: LayerNorm;
  readonly attn: GPT2Attention;
  readonly ln_2: LayerNorm;
  readonly crossattention?: GPT2Attention;
  readonly ln_cross_attn?: LayerNorm;
  readonly mlp: MLP;

  constructor(config: GPT2Config, random: Random, layer: number) {
    super();
    const { nEmbd, layerNormEpsilon } = config;
    this.ln_1 = new LayerNorm(nEmbd, layerNormEpsilon);
    this.attn = new GPT2Attention(config, random, layer, false);
    this.ln_2 = new LayerNorm(nEmbd, layerNormEpsilon);
    if (config.addCrossAttention) {
      this.crossattention = new GPT2Attention(config, random, layer, true);
      this.ln_cross_attn = new LayerNorm(nEmbd, layerNormEpsilon);
    }
    this.mlp = new MLP(config, random);
  }

  forward(x: Tensor, { mask, past, encoder, encoderMask }: BlockInputs): { hidden: Tensor; own: Attended; cross?: Attended } {
    return tf.tidy(() => {
      const own = this.attn.toItself(this.ln_1.forward(x), mask, past);
      let hidden = tf.add(x, own.output);
      let cross: Attended | undefined;
      if (this.crossattention && (encoder || past?.crossKey)) {
        cross = this.crossattention.toEncoder(this.ln_cross_attn!.forward(hidden), encoder, encoderMask, past);
        hidden = tf.add(hidden, cross.output);
      }
      return { hidden: tf.add(hidden, this.mlp.forward(this.ln_2.forward(hidden))), own, cross } as never;
    });
  }
}
