/**
 * What BERT and the decoders grown from it (BLIP's) share, under the names of their checkpoints: layers that normalise after each residual
 * sum, with cross attention between the two where an encoder's width is given, and the transformation before the output layer.
 */
import { Random, tf, type Tensor } from '../engine';
import { activation, Dropout, Embedding, LayerNorm, Linear, Module, Parameter, type Activation } from '../nn';
import type { KeyValues } from './causal-language-model';
import { Dense, SelfAttention } from './hugging-face-layers';

export interface BertLayersConfig {
  vocabSize: number;
  hiddenSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  intermediateSize: number;
  hiddenAct: Activation;
  maxPositionEmbeddings: number;
  layerNormEps: number;
  /** Row of the word embeddings that is never trained. */
  padTokenId: number;
  hiddenDropoutProb: number;
  attentionProbsDropoutProb: number;
  /** Sentences that words are told apart by; left out where there is no such embedding. */
  typeVocabSize?: number;
  /** Width of the encoder's states that each layer looks at; left out where there is no cross attention. */
  encoderHiddenSize?: number;
}

export interface BertEmbeddingsInputs { inputIds: Tensor; tokenTypeIds?: Tensor; positionIds?: Tensor }

export class BertEmbeddings extends Module {
  readonly word_embeddings: Embedding;
  readonly position_embeddings: Embedding;
  readonly token_type_embeddings?: Embedding;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;

  constructor(config: BertLayersConfig, random: Random) {
    super();
    const { hiddenSize } = config;
    this.word_embeddings = new Embedding(config.vocabSize, hiddenSize, random, config.padTokenId);
    this.position_embeddings = new Embedding(config.maxPositionEmbeddings, hiddenSize, random);
    if (config.typeVocabSize) this.token_type_embeddings = new Embedding(config.typeVocabSize, hiddenSize, random);
    for (const embedding of [this.word_embeddings, this.position_embeddings, this.token_type_embeddings]) {
      embedding?.weight.assign(tf.tidy(() => tf.mul(embedding.weight.tensor, 0.02)));
    }
    this.LayerNorm = new LayerNorm(hiddenSize, config.layerNormEps);
    this.dropout = new Dropout(config.hiddenDropoutProb, random);
  }

  /** `past` is the number of words that came before inputIds (B, T). */
  forward({ inputIds, tokenTypeIds, positionIds }: BertEmbeddingsInputs, past = 0): Tensor {
    return tf.tidy(() => {
      const length = inputIds.shape[1]!;
      const words = this.word_embeddings.forward(inputIds);
      const types = this.token_type_embeddings?.forward(tokenTypeIds ?? tf.zeros([1, length], 'int32'));
      const positions = this.position_embeddings.forward(positionIds ?? tf.range(past, past + length, 1, 'int32').expandDims(0));
      return this.dropout.forward(this.LayerNorm.forward(tf.add(types ? tf.add(words, types) : words, positions)));
    });
  }
}

/** A linear layer whose result is added to the block's input and normalised: the checkpoint's `output.dense`, `output.LayerNorm`. */
class ResidualOutput extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;

  constructor(inFeatures: number, config: BertLayersConfig, random: Random) {
    super();
    this.dense = new Linear(inFeatures, config.hiddenSize, random);
    this.LayerNorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.dropout = new Dropout(config.hiddenDropoutProb, random);
  }

  forward(x: Tensor, residual: Tensor): Tensor {
    return this.LayerNorm.forward(tf.add(this.dropout.forward(this.dense.forward(x)), residual));
  }
}

class Attention extends Module {
  readonly self: SelfAttention;
  readonly output: ResidualOutput;

  constructor(config: BertLayersConfig, random: Random, encoderSize?: number) {
    super();
    this.self = new SelfAttention(config, random, encoderSize);
    this.output = new ResidualOutput(config.hiddenSize, config, random);
  }
}

interface LayerInputs {
  mask: Tensor | null;
  past?: KeyValues;
  /** (B, S, encoder width); not needed where `past` holds its keys */
  encoder?: Tensor;
  crossProbe?: Tensor;
}
interface LayerOutputs { hidden: Tensor; weights: Tensor; crossWeights?: Tensor; keys: KeyValues }

class Layer extends Module {
  readonly attention: Attention;
  readonly crossattention?: Attention;
  readonly intermediate: Dense;
  readonly output: ResidualOutput;
  private readonly act: (x: Tensor) => Tensor;

  constructor(config: BertLayersConfig, random: Random) {
    super();
    this.attention = new Attention(config, random);
    if (config.encoderHiddenSize) this.crossattention = new Attention(config, random, config.encoderHiddenSize);
    this.intermediate = new Dense(config.hiddenSize, config.intermediateSize, random);
    this.output = new ResidualOutput(config.intermediateSize, config, random);
    this.act = activation(config.hiddenAct);
  }

  forward(x: Tensor, { mask, past, encoder, crossProbe }: LayerInputs): LayerOutputs {
    return tf.tidy(() => {
      const { output, weights, key, value } = this.attention.self.forward(x, { mask, past });
      let attended = this.attention.output.forward(output, x);
      const keys: KeyValues = { key, value };
      let crossWeights: Tensor | undefined;
      const known = past?.crossKey && past.crossValue ? { key: past.crossKey, value: past.crossValue } : encoder;
      if (this.crossattention && known) {
        const cross = this.crossattention.self.toEncoder(attended, known, crossProbe);
        attended = this.crossattention.output.forward(cross.output, attended);
        [crossWeights, keys.crossKey, keys.crossValue] = [cross.weights, cross.key, cross.value];
      }
      const hidden = this.output.forward(this.act(this.intermediate.forward(attended)), attended);
      return { hidden, weights, ...(crossWeights ? { crossWeights } : {}), keys } as never;
    });
  }
}

export interface BertEncoderInputs {
  /** Added to the scores of self attention */
  mask: Tensor | null;
  /** (B, S, encoder width): what cross attention looks at; not needed once pastKeyValues hold its keys. B may be a divisor of the rows. */
  encoderHiddenStates?: Tensor;
  /** What an earlier call with useCache returned; it stays the caller's. */
  pastKeyValues?: readonly KeyValues[];
  useCache?: boolean;
  outputHiddenStates?: boolean;
  outputAttentions?: boolean;
  /** Zeros (B, heads, T, S) for each layer: a score's gradients for them are those for the cross attentions. */
  crossAttentionProbes?: readonly Tensor[];
}

/** All tensors are the caller's to dispose. */
export interface BertEncoderOutputs {
  /** (B, T, hidden) */
  lastHiddenState: Tensor;
  /** The embeddings and each layer's output, (B, T, hidden) */
  hiddenStates?: Tensor[];
  /** Each layer's weights, (B, heads, T, past + T) */
  attentions?: Tensor[];
  /** (B, heads, T, S) */
  crossAttentions?: Tensor[];
  pastKeyValues?: KeyValues[];
}

export class BertEncoder extends Module {
  readonly layer: Layer[];

  constructor(config: BertLayersConfig, random: Random) {
    super();
    this.layer = Array.from({ length: config.numHiddenLayers }, () => new Layer(config, random));
  }

  /** x (B, T, hidden) stays the caller's. */
  forward(x: Tensor, inputs: BertEncoderInputs): BertEncoderOutputs {
    const { mask, encoderHiddenStates: encoder, pastKeyValues, useCache, outputHiddenStates, outputAttentions } = inputs;
    return tf.tidy(() => {
      let hidden: Tensor = tf.clone(x);
      const hiddenStates = [hidden], attentions: Tensor[] = [], crossAttentions: Tensor[] = [], cache: KeyValues[] = [];
      for (const [i, layer] of this.layer.entries()) {
        const step = layer.forward(hidden, { mask, past: pastKeyValues?.[i], encoder, crossProbe: inputs.crossAttentionProbes?.[i] });
        if (outputHiddenStates) hiddenStates.push(step.hidden);
        else hidden.dispose();
        hidden = step.hidden;
        if (outputAttentions) {
          attentions.push(step.weights);
          if (step.crossWeights) crossAttentions.push(step.crossWeights);
        } else tf.dispose([step.weights, ...(step.crossWeights ? [step.crossWeights] : [])]);
        if (useCache) cache.push(step.keys);
        else tf.dispose(step.keys as never);
      }
      return {
        lastHiddenState: hidden,
        ...(outputHiddenStates ? { hiddenStates: [...hiddenStates.slice(0, -1), tf.clone(hidden)] } : {}),
        ...(outputAttentions ? { attentions, ...(crossAttentions.length ? { crossAttentions } : {}) } : {}),
        ...(useCache ? { pastKeyValues: cache } : {}),
      } as never;
    });
  }
}

class PredictionTransform extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;
  private readonly act: (x: Tensor) => Tensor;

  constructor({ hiddenSize, layerNormEps, hiddenAct }: BertLayersConfig, random: Random) {
    super();
    this.dense = new Linear(hiddenSize, hiddenSize, random);
    this.LayerNorm = new LayerNorm(hiddenSize, layerNormEps);
    this.act = activation(hiddenAct);
  }

  forward(x: Tensor): Tensor { return this.LayerNorm.forward(this.act(this.dense.forward(x))); }
}

class Predictions extends Module {
  /** Of the output layer, whose weight is the word embedding. */
  readonly bias: Parameter;
  readonly transform: PredictionTransform;

  constructor(config: BertLayersConfig, random: Random) {
    super();
    this.bias = new Parameter(tf.zeros([config.vocabSize]));
    this.transform = new PredictionTransform(config, random);
  }
}

/** The checkpoint's `cls`: what stands between the last state and the output layer, and that layer's bias. */
export class BertWordHead extends Module {
  readonly predictions: Predictions;

  constructor(config: BertLayersConfig, random: Random) {
    super();
    this.predictions = new Predictions(config, random);
  }
}
