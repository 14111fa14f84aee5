/**
 * GPT-2 language model (Radford et al. 2019) with the parameter names of transformers' GPT2LMHeadModel (transformers/models/gpt2): linear
 * layers store (in, out), the output layer is the word embedding transposed (`lm_head` is tied and has no tensor of its own), and with
 * `addCrossAttention` every block attends to an encoder between its self-attention and its MLP.
 */
import { Random, tf, type Tensor } from '../engine';
import { generateOnce, streamOnce, type GenerationConfig, type GenerationResult, type PreparedGeneration,
  type TokenStream } from '../generation';
import { attentionMask, Dropout, Embedding, LayerNorm, Module, normal } from '../nn';
import { prepareTextGeneration, type CacheShape, type TextGenerationInputs } from './cached-step-decoder';
import { languageModelHead, pastPositions, type KeyValues } from './causal-language-model';
import { Block, gpt2Defaults, type GPT2Config } from './gpt2-block';

export { gpt2Defaults, type GPT2Config } from './gpt2-block';

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

  /** What cross attention needs of an encoder's states (B, S, nEmbd), each layer's keys and values: for `pastKeyValues`. */
  crossKeyValues(encoder: Tensor): Required<Pick<KeyValues, 'crossKey' | 'crossValue'>>[] {
    this.checkEncoder(encoder);
    return this.h.map(({ crossattention }) => {
      const [crossKey, crossValue] = tf.tidy(() => crossattention!.encoderKeys(encoder));
      return { crossKey, crossValue };
    });
  }

  private checkEncoder(encoder: Tensor): void {
    const { nEmbd, addCrossAttention } = this.config;
    if (!addCrossAttention) throw new Error('encoderHiddenStates were given, but the config has addCrossAttention false.');
    if (encoder.rank !== 3 || encoder.shape[2] !== nEmbd) {
      throw new Error(`encoderHiddenStates have the shape [${encoder.shape}]: expected [batch, positions, ${nEmbd}].`);
    }
  }

  forward(inputs: GPT2Inputs): GPT2Outputs {
    const { inputIds, attentionMask: padding, encoderHiddenStates: encoder, pastKeyValues, useCache, outputHiddenStates,
      outputAttentions } = inputs;
    const length = inputIds.shape[1]!, { past, keys } = pastPositions(pastKeyValues, length);
    const { nPositions, nLayer } = this.config;
    if (past + length > nPositions) throw new Error(`${past + length} positions, but this GPT-2 has ${nPositions}: shorten the text.`);
    if (pastKeyValues && pastKeyValues.length !== nLayer) throw new Error(`pastKeyValues of ${pastKeyValues.length} layers for ${nLayer}.`);
    if (encoder) this.checkEncoder(encoder);
    return tf.tidy(() => {
      const positions = inputs.positionIds ?? tf.range(past, past + length, 1, 'int32').expandDims(0);
      const mask = attentionMask({ causal: { queries: length, keys }, padding });
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
  /** generation_config.json: what `generate` does unless told otherwise */
  generationConfig: GenerationConfig = {};

  constructor(config: Partial<GPT2Config> = {}, random = new Random(0)) {
    super();
    this.transformer = new GPT2Model(config, random);
  }

  get config(): GPT2Config { return this.transformer.config; }

  get cacheShape(): CacheShape {
    const { vocabSize, nPositions, nLayer, nHead, nEmbd } = this.config;
    return { vocabSize, maxPositions: nPositions, layers: nLayer, heads: nHead, headSize: nEmbd / nHead };
  }

  /** `labels` (B, T) int32 as the inputs, −100 where not counted: position t is scored on label t + 1. */
  forward({ labels, logitsToKeep, ...inputs }: GPT2Inputs & { labels?: Tensor; logitsToKeep?: number }): GPT2LMOutputs {
    return tf.tidy(() => {
      const outputs = this.transformer.forward(inputs);
      const { tensor } = this.transformer.wte.weight;
      return { ...outputs, ...languageModelHead(outputs.lastHiddenState, tensor, { labels, logitsToKeep }) } as never;
    });
  }

  /**
   * Texts that go on from `inputIds`, as transformers' generate returns them; lib/generation describes the options.
   *
   * @throws where padding does not stand left, texts would outgrow the positions, or options make no sense
   */
  generate(inputs: TextGenerationInputs, options: GenerationConfig = {}): GenerationResult {
    return generateOnce(this.prepareGeneration(inputs, options));
  }

  /** The tokens of `generate` as they come (greedy or drawn), a row each; see `streamTokens`. */
  stream(inputs: TextGenerationInputs, options: GenerationConfig = {}, signal?: AbortSignal): TokenStream {
    return streamOnce(() => this.prepareGeneration(inputs, options), signal);
  }

  private prepareGeneration(inputs: TextGenerationInputs, options: GenerationConfig): PreparedGeneration {
    return prepareTextGeneration(this, this.cacheShape, inputs, options);
  }
}

/** For `loadState`: OpenAI's own checkpoints leave `transformer.` out and store the causal mask and, some, the tied output layer. */
export const gpt2LoadOptions = {
  prefix: 'transformer.',
  ignore: /\.(attn|crossattention)\.(masked_)?bias$/,
  tied: { 'lm_head.weight': 'transformer.wte.weight' },
};
