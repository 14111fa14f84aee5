/**
 * Llama-type language model (Touvron et al. 2023, https://arxiv.org/abs/2302.13971; SmolLM's and SmolVLM's) with the parameter names of
 * transformers' LlamaForCausalLM (transformers/models/llama): RMS normalisation before attention and MLP, rotary positions, key heads
 * shared by several query heads, a gated MLP.
 */
import { Random, tf, type Tensor } from '../engine';
import { activation, attention, attentionMask, Dropout, Embedding, Linear, Module, RMSNorm, rotaryTables, rotate, splitHeads,
  type Activation, type RotaryTables } from '../nn';
import { generateOnce, streamOnce, type GenerationConfig, type GenerationResult, type TokenStream } from '../generation';
import { prepareTextGeneration, type CacheShape, type TextGenerationInputs } from './cached-step-decoder';
import { languageModelHead, pastPositions, withNext, type KeyValues } from './causal-language-model';

/** The keys of config.json that the network depends on. */
export interface LlamaConfig {
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  /** Key heads, each for numAttentionHeads / numKeyValueHeads queries; null is one for each query. */
  numKeyValueHeads: number | null;
  /** Width of a head; null is hiddenSize / numAttentionHeads. */
  headDim: number | null;
  hiddenAct: Activation;
  /** Positions that the checkpoint was trained for; rotary positions go on beyond, the quality does not. */
  maxPositionEmbeddings: number;
  rmsNormEps: number;
  /** Base of the rotary angles. */
  ropeTheta: number;
  /** The padding word's row of the embedding is never trained through the input; below 0 it counts from the end. */
  padTokenId: number | null;
  /** The output layer is the embedding; otherwise it has a weight of its own, lm_head.weight. */
  tieWordEmbeddings: boolean;
  attentionBias: boolean;
  attentionDropout: number;
  mlpBias: boolean;
  /** Standard deviation of the weights at the start. */
  initializerRange: number;
}

/** What transformers' LlamaConfig assumes: Llama 7B. */
export const llamaDefaults: LlamaConfig = {
  vocabSize: 32000, hiddenSize: 4096, intermediateSize: 11008, numHiddenLayers: 32, numAttentionHeads: 32,
  numKeyValueHeads: null, headDim: null,
  hiddenAct: 'silu', maxPositionEmbeddings: 2048, rmsNormEps: 1e-6, ropeTheta: 10000, padTokenId: null, tieWordEmbeddings: false,
  attentionBias: false, attentionDropout: 0, mlpBias: false, initializerRange: 0.02,
};

export interface LlamaInputs {
  /** (B, T) int32; with pastKeyValues only the new ones */
  inputIds?: Tensor;
  /** (B, T, hidden) instead of inputIds */
  inputsEmbeds?: Tensor;
  /** (B, past + T), 1 for a word and 0 for padding */
  attentionMask?: Tensor;
  /** (B or 1, T) int32; past … past + T − 1 unless given. With left padding use `positionIdsOf`. */
  positionIds?: Tensor;
  /** What an earlier call with useCache returned; it stays the caller's. */
  pastKeyValues?: readonly KeyValues[];
  useCache?: boolean;
  outputHiddenStates?: boolean;
  outputAttentions?: boolean;
}

/** All tensors are the caller's to dispose. */
export interface LlamaOutputs {
  /** (B, T, hidden), after the final normalisation */
  lastHiddenState: Tensor;
  /** The embeddings and each layer's output, (B, T, hidden); the last one normalised, as transformers gives it */
  hiddenStates?: Tensor[];
  /** Each layer's weights, (B, heads, T, past + T) */
  attentions?: Tensor[];
  /** Keys and values (B, key heads, past + T, size) */
  pastKeyValues?: KeyValues[];
}

interface Attended { output: Tensor; weights: Tensor; key: Tensor; value: Tensor }
interface LayerInputs { positions: RotaryTables; mask: Tensor | null; past?: KeyValues }

/** A linear layer that starts normal, its bias zero. */
function linear(inFeatures: number, outFeatures: number, random: Random, { initializerRange }: LlamaConfig, bias = false): Linear {
  return new Linear(inFeatures, outFeatures, random, { bias, std: initializerRange });
}

const headSize = ({ headDim, hiddenSize, numAttentionHeads }: LlamaConfig): number => headDim ?? Math.floor(hiddenSize / numAttentionHeads);

class LlamaAttention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly o_proj: Linear;
  private readonly dropout: Dropout;
  private readonly heads: number;
  private readonly keyHeads: number;

  constructor(config: LlamaConfig, random: Random) {
    super();
    const { hiddenSize, numAttentionHeads, numKeyValueHeads, attentionBias, attentionDropout } = config;
    const size = headSize(config);
    this.heads = numAttentionHeads;
    this.keyHeads = numKeyValueHeads ?? numAttentionHeads;
    this.q_proj = linear(hiddenSize, this.heads * size, random, config, attentionBias);
    this.k_proj = linear(hiddenSize, this.keyHeads * size, random, config, attentionBias);
    this.v_proj = linear(hiddenSize, this.keyHeads * size, random, config, attentionBias);
    this.o_proj = linear(this.heads * size, hiddenSize, random, config, attentionBias);
    this.dropout = new Dropout(attentionDropout, random);
  }

  /** x (B, T, hidden); past keys and values come before the new ones. */
  forward(x: Tensor, { positions, mask, past }: LayerInputs): Attended {
    const query = rotate(splitHeads(this.q_proj.forward(x), this.heads), positions);
    const newKey = rotate(splitHeads(this.k_proj.forward(x), this.keyHeads), positions);
    const newValue = splitHeads(this.v_proj.forward(x), this.keyHeads);
    const key = past ? withNext(past.key, newKey, past.place) : newKey;
    const value = past ? withNext(past.value, newValue, past.place) : newValue;
    const { output, weights } = attention(query, key, value, { mask, dropout: this.dropout });
    return { output: this.o_proj.forward(output), weights, key, value };
  }
}

class LlamaMLP extends Module {
  readonly gate_proj: Linear;
  readonly up_proj: Linear;
  readonly down_proj: Linear;
  private readonly act: (x: Tensor) => Tensor;

  constructor(config: LlamaConfig, random: Random) {
    super();
    const { hiddenSize, intermediateSize, hiddenAct, mlpBias } = config;
    this.gate_proj = linear(hiddenSize, intermediateSize, random, config, mlpBias);
    this.up_proj = linear(hiddenSize, intermediateSize, random, config, mlpBias);
    this.down_proj = linear(intermediateSize, hiddenSize, random, config, mlpBias);
    this.act = activation(hiddenAct);
  }

  forward(x: Tensor): Tensor { return this.down_proj.forward(tf.mul(this.act(this.gate_proj.forward(x)), this.up_proj.forward(x))); }
}

class LlamaDecoderLayer extends Module {
  readonly self_attn: LlamaAttention;
  readonly mlp: LlamaMLP;
  readonly input_layernorm: RMSNorm;
  readonly post_attention_layernorm: RMSNorm;

  constructor(config: LlamaConfig, random: Random) {
    super();
    this.self_attn = new LlamaAttention(config, random);
    this.mlp = new LlamaMLP(config, random);
    this.input_layernorm = new RMSNorm(config.hiddenSize, config.rmsNormEps);
    this.post_attention_layernorm = new RMSNorm(config.hiddenSize, config.rmsNormEps);
  }

  forward(x: Tensor, inputs: LayerInputs): { hidden: Tensor; attended: Omit<Attended, 'output'> } {
    return tf.tidy(() => {
      const { output, ...attended } = this.self_attn.forward(this.input_layernorm.forward(x), inputs);
      const hidden = tf.add(x, output);
      return { hidden: tf.add(hidden, this.mlp.forward(this.post_attention_layernorm.forward(hidden))), attended } as never;
    });
  }
}

/** Llama without the output layer (LlamaModel). */
export class LlamaModel extends Module {
  readonly config: LlamaConfig;
  readonly embed_tokens: Embedding;
  readonly layers: LlamaDecoderLayer[];
  readonly norm: RMSNorm;

  constructor(config: Partial<LlamaConfig> = {}, random = new Random(0)) {
    super();
    this.config = { ...llamaDefaults, ...config };
    const { vocabSize, hiddenSize, numHiddenLayers, numAttentionHeads, numKeyValueHeads, padTokenId, rmsNormEps } = this.config;
    if (numKeyValueHeads && numAttentionHeads % numKeyValueHeads !== 0) {
      throw new Error(`numKeyValueHeads ${numKeyValueHeads} does not divide numAttentionHeads ${numAttentionHeads}: check config.json.`);
    }
    const padding = padTokenId === null ? undefined : padTokenId + (padTokenId < 0 ? vocabSize : 0);
    this.embed_tokens = new Embedding(vocabSize, hiddenSize, random, padding);
    const { weight } = this.embed_tokens;
    weight.assign(tf.mul(weight.tensor, this.config.initializerRange));
    this.layers = Array.from({ length: numHiddenLayers }, () => new LlamaDecoderLayer(this.config, random));
    this.norm = new RMSNorm(hiddenSize, rmsNormEps);
  }

  forward(inputs: LlamaInputs): LlamaOutputs {
    const { inputIds, inputsEmbeds, attentionMask: padding, pastKeyValues, useCache, outputHiddenStates, outputAttentions } = inputs;
    const { hiddenSize, numHiddenLayers, ropeTheta } = this.config;
    if (!inputIds === !inputsEmbeds) {
      throw new Error(`A Llama takes either inputIds or inputsEmbeds: ${inputIds ? 'both' : 'neither'} were given.`);
    }
    if (inputsEmbeds && (inputsEmbeds.rank !== 3 || inputsEmbeds.shape[2] !== hiddenSize)) {
      throw new Error(`inputsEmbeds have the shape [${inputsEmbeds.shape}]: expected [batch, positions, ${hiddenSize}].`);
    }
    if (pastKeyValues && pastKeyValues.length !== numHiddenLayers) {
      throw new Error(`pastKeyValues of ${pastKeyValues.length} layers for ${numHiddenLayers}.`);
    }
    const length = (inputIds ?? inputsEmbeds)!.shape[1]!, { past, keys } = pastPositions(pastKeyValues, length);
    return tf.tidy(() => {
      const positionIds = inputs.positionIds ?? tf.range(past, past + length, 1, 'int32').expandDims(0);
      const positions = rotaryTables(positionIds, headSize(this.config), ropeTheta);
      const mask = attentionMask({ causal: { queries: length, keys }, padding });
      let hidden = inputsEmbeds ? tf.clone(inputsEmbeds) : this.embed_tokens.forward(inputIds!);
      const hiddenStates: Tensor[] = [], attentions: Tensor[] = [], cache: KeyValues[] = [];
      for (const [i, layer] of this.layers.entries()) {
        const { hidden: next, attended: { weights, key, value } } = layer.forward(hidden, { positions, mask, past: pastKeyValues?.[i] });
        if (outputHiddenStates) hiddenStates.push(hidden);
        else hidden.dispose();
        hidden = next;
        if (outputAttentions) attentions.push(weights);
        else weights.dispose();
        if (useCache) cache.push({ key, value });
        else tf.dispose([key, value]);
      }
      const lastHiddenState = this.norm.forward(hidden);
      return {
        lastHiddenState,
        ...(outputHiddenStates ? { hiddenStates: [...hiddenStates, tf.clone(lastHiddenState)] } : {}),
        ...(outputAttentions ? { attentions } : {}),
        ...(useCache ? { pastKeyValues: cache } : {}),
      } as never;
    });
  }
}

export interface LlamaCausalOutputs extends LlamaOutputs {
  /** (B, T, vocabulary); only the last `logitsToKeep` positions where that is given */
  logits: Tensor;
  /** Mean cross entropy of each next word, where labels were given */
  loss?: Tensor;
}

/** What generation needs to know; rotary positions have no end. */
export function llamaCacheShape(config: LlamaConfig): CacheShape {
  const { vocabSize, numHiddenLayers: layers, numAttentionHeads: queryHeads, numKeyValueHeads } = config;
  return { vocabSize, maxPositions: Infinity, layers, heads: numKeyValueHeads ?? queryHeads, headSize: headSize(config), queryHeads };
}

/** An output layer of its own: `lm_head`. */
export const llamaHead = (config: LlamaConfig, random: Random): Linear => linear(config.hiddenSize, config.vocabSize, random, config);

/** Llama with its output layer (LlamaForCausalLM). */
export class LlamaForCausalLM extends Module {
  readonly model: LlamaModel;
  /** Absent where the output layer is the embedding. */
  readonly lm_head?: Linear;
  /** generation_config.json: what `generate` does unless told otherwise */
  generationConfig: GenerationConfig;

  constructor(config: Partial<LlamaConfig> = {}, random = new Random(0)) {
    super();
    this.model = new LlamaModel(config, random);
    this.generationConfig = { padTokenId: this.config.padTokenId };
    if (!this.config.tieWordEmbeddings) this.lm_head = llamaHead(this.config, random);
  }

  get config(): LlamaConfig { return this.model.config; }

  /** `labels` (B, T) int32 as the inputs, −100 where not counted: position t is scored on label t + 1. */
  forward({ labels, logitsToKeep, ...inputs }: LlamaInputs & { labels?: Tensor; logitsToKeep?: number }): LlamaCausalOutputs {
    return tf.tidy(() => {
      const outputs = this.model.forward(inputs);
      const { tensor } = (this.lm_head ?? this.model.embed_tokens).weight;
      return { ...outputs, ...languageModelHead(outputs.lastHiddenState, tensor, { labels, logitsToKeep }) } as never;
    });
  }

  /**
   * Texts that go on from `inputIds`, as transformers' generate returns them; lib/generation describes the options.
   *
   * @throws where padding does not stand left, or options make no sense
   */
  generate(inputs: TextGenerationInputs, options: GenerationConfig = {}): GenerationResult {
    return generateOnce(prepareTextGeneration(this, llamaCacheShape(this.config), inputs, options));
  }

  /** The tokens of `generate` as they come (greedy or drawn), a row each; see `streamTokens`. */
  stream(inputs: TextGenerationInputs, options: GenerationConfig = {}, signal?: AbortSignal): TokenStream {
    return streamOnce(() => prepareTextGeneration(this, llamaCacheShape(this.config), inputs, options), signal);
  }
}
