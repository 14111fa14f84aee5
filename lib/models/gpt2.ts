/**
 * GPT-2 language model (Radford et al. 2019) with the parameter names of transformers' GPT2LMHeadModel (transformers/models/gpt2): linear
 * layers store (in, out), the output layer is the word embedding transposed (`lm_head` is tied and has no tensor of its own), and with
 * `addCrossAttention` every block attends to an encoder between its self-attention and its MLP.
 */
import { Random, tf, type Tensor } from '../engine';
import { activation, attention, attentionMask, Conv1D, Dropout, Embedding, LayerNorm, Module, normal, splitHeads, type Activation } from '../nn';
import { languageModelHead, type KeyValues } from './causal-language-model';

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
  vocabSize: 50257, nPositions: 1024, nEmbd: 768, nLayer: 12, nHead: 12, nInner: null, activationFunction: 'gelu_new', layerNormEpsilon: 1e-5,
  addCrossAttention: false, scaleAttnWeights: true, scaleAttnByInverseLayerIdx: false, embdPdrop: 0.1, attnPdrop: 0.1, residPdrop: 0.1,
};

export interface GPT2Inputs {
  /** (B, T) int32; with pastKeyValues only the new ones */
  inputIds: Tensor;
  /** (B, past + T), 1 for a word and 0 for padding */
  attentionMask?: Tensor;
  /** (B or 1, T) int32; past … past + T − 1 unless given. With left padding use `positionIdsOf`. */
  positionIds?: Tensor;
  /** (B, S, nEmbd): what cross attention looks at. Not needed once pastKeyValues hold its keys. */
  encoderHiddenStates?: Tensor;
  /** (B, S) */
  encoderAttentionMask?: Tensor;
  /** What an earlier call with useCache returned; it stays the caller's. */
  pastKeyValues?: readonly KeyValues[];
  useCache?: boolean;
  outputHiddenStates?: boolean;
  outputAttentions?: boolean;
}

/** All tensors are the caller's to dispose. */
export interface GPT2Outputs {
  /** (B, T, nEmbd), after the final normalisation */
  lastHiddenState: Tensor;
  /** The embeddings and each block's output, (B, T, nEmbd); the last one normalised, as transformers gives it */
  hiddenStates?: Tensor[];
  /** Each layer's weights, (B, heads, T, past + T) */
  attentions?: Tensor[];
  /** (B, heads, T, S) */
  crossAttentions?: Tensor[];
  pastKeyValues?: KeyValues[];
}

interface BlockInputs { mask: Tensor | null; past?: KeyValues; encoder?: Tensor; encoderMask: Tensor | null }
interface Attended { output: Tensor; weights: Tensor; key: Tensor; value: Tensor }

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
    return past ? this.attend(query, tf.concat([past.key, key], 2), tf.concat([past.value, value], 2), mask) : this.attend(query, key, value, mask);
  }

  /** x (B, T, nEmbd) to an encoder's states (B, S, nEmbd), or to the keys and values that an earlier step made of them. */
  toEncoder(x: Tensor, encoder: Tensor | undefined, mask: Tensor | null, past?: KeyValues): Attended {
    const query = this.heads(this.q_attn!.forward(x));
    if (past?.crossKey && past.crossValue) return this.attend(query, tf.clone(past.crossKey), tf.clone(past.crossValue), mask);
    const [key, value] = tf.split(this.c_attn.forward(encoder!), 2, 2).map((part) => this.heads(part));
    return this.attend(query, key, value, mask);
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

class Block extends Module {
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

/** GPT-2 without the output layer (GPT2Model). */
export class GPT2Model extends Module {
  readonly config: GPT2Config;
  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly drop: Dropout;
  readonly h: Block[];
  readonly ln_f: LayerNorm;

  constructor(config: Partial<GPT2Config> = {}, random = new Random(0)) {
    super();
    this.config = { ...gpt2Defaults, ...config };
    const { vocabSize, nPositions, nEmbd, nLayer } = this.config;
    this.wte = new Embedding(vocabSize, nEmbd, random);
    this.wpe = new Embedding(nPositions, nEmbd, random);
    for (const { weight } of [this.wte, this.wpe]) weight.assign(normal(weight.shape, 0.02, random));
    this.drop = new Dropout(this.config.embdPdrop, random);
    this.h = Array.from({ length: nLayer }, (_, layer) => new Block(this.config, random, layer));
    this.ln_f = new LayerNorm(nEmbd, this.config.layerNormEpsilon);
  }

  forward(inputs: GPT2Inputs): GPT2Outputs {
    const { inputIds, attentionMask: padding, encoderHiddenStates: encoder, pastKeyValues, useCache, outputHiddenStates, outputAttentions } = inputs;
    const past = pastKeyValues?.[0].key.shape[2] ?? 0, length = inputIds.shape[1]!;
    const { nPositions, nLayer, nEmbd, addCrossAttention } = this.config;
    if (past + length > nPositions) throw new Error(`${past + length} positions, but this GPT-2 has ${nPositions}: shorten the text.`);
    if (pastKeyValues && pastKeyValues.length !== nLayer) throw new Error(`pastKeyValues of ${pastKeyValues.length} layers for ${nLayer}.`);
    if (encoder && !addCrossAttention) throw new Error('encoderHiddenStates were given, but the config has addCrossAttention false.');
    if (encoder && encoder.shape[2] !== nEmbd) throw new Error(`encoderHiddenStates have the shape [${encoder.shape}]: expected [batch, positions, ${nEmbd}].`);
    return tf.tidy(() => {
      const positions = inputs.positionIds ?? tf.range(past, past + length, 1, 'int32').expandDims(0);
      const mask = attentionMask({ causal: { queries: length, keys: past + length }, padding });
      const encoderMask = attentionMask({ padding: inputs.encoderAttentionMask });
      let hidden = this.drop.forward(tf.add(this.wte.forward(inputIds), this.wpe.forward(positions)));
      const hiddenStates = [hidden], attentions: Tensor[] = [], crossAttentions: Tensor[] = [], cache: KeyValues[] = [];
      for (const [i, block] of this.h.entries()) {
        const { hidden: next, own, cross } = block.forward(hidden, { mask, past: pastKeyValues?.[i], encoder, encoderMask });
        hidden = next;
        hiddenStates.push(hidden);
        if (outputAttentions) {
          attentions.push(own.weights);
          if (cross) crossAttentions.push(cross.weights);
        } else tf.dispose([own.weights, ...(cross ? [cross.weights] : [])]);
        const keys: KeyValues = { key: own.key, value: own.value, ...(cross ? { crossKey: cross.key, crossValue: cross.value } : {}) };
        if (useCache) cache.push(keys);
        else tf.dispose(keys as never);
      }
      const lastHiddenState = this.ln_f.forward(hidden);
      return {
        lastHiddenState,
        ...(outputHiddenStates ? { hiddenStates: [...hiddenStates.slice(0, -1), tf.clone(lastHiddenState)] } : {}),
        ...(outputAttentions ? { attentions, ...(crossAttentions.length ? { crossAttentions } : {}) } : {}),
        ...(useCache ? { pastKeyValues: cache } : {}),
      } as never;
    });
  }
}

export interface GPT2LMOutputs extends GPT2Outputs {
  /** (B, T, vocabulary); only the last `logitsToKeep` positions where that is given */
  logits: Tensor;
  /** Mean cross entropy of each next word, where labels were given */
  loss?: Tensor;
}

/** GPT-2 with its tied output layer (GPT2LMHeadModel). */
export class GPT2LMHeadModel extends Module {
  readonly transformer: GPT2Model;

  constructor(config: Partial<GPT2Config> = {}, random = new Random(0)) {
    super();
    this.transformer = new GPT2Model(config, random);
  }

  get config(): GPT2Config { return this.transformer.config; }

  /** `labels` (B, T) int32 as the inputs, −100 where not counted: position t is scored on label t + 1. */
  forward({ labels, logitsToKeep, ...inputs }: GPT2Inputs & { labels?: Tensor; logitsToKeep?: number }): GPT2LMOutputs {
    return tf.tidy(() => {
      const outputs = this.transformer.forward(inputs);
      return { ...outputs, ...languageModelHead(outputs.lastHiddenState, this.transformer.wte.weight.tensor, { labels, logitsToKeep }) } as never;
    });
  }
}

/** For `loadState`: OpenAI's own checkpoints leave `transformer.` out and store the causal mask and, some, the tied output layer. */
export const gpt2LoadOptions = {
  prefix: 'transformer.',
  ignore: /\.(attn|crossattention)\.(masked_)?bias$/,
  tied: { 'lm_head.weight': 'transformer.wte.weight' },
};
