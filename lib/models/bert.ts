/**
 * BERT (Devlin et al. 2019, https://arxiv.org/abs/1810.04805) with the parameter names of transformers' checkpoints
 * (transformers/models/bert): encoder, pooler, heads for classification and for masked words. Layers normalise after each residual sum.
 */
import { binaryCrossEntropy, crossEntropy, matMul, Random, tf, type Tensor, type Tensor1D, type Tensor2D } from '../engine';
import { attentionMask, Dropout, Linear, Module } from '../nn';
import { BertEmbeddings, BertEncoder, BertWordHead, type BertLayersConfig } from './bert-layers';
import { Dense } from './hugging-face-layers';

/** The keys of config.json that the network depends on. */
export interface BertConfig extends BertLayersConfig {
  typeVocabSize: number;
  encoderHiddenSize?: undefined;
  /** Before the classifier; null is hiddenDropoutProb. */
  classifierDropout: number | null;
}

/** bert-base-uncased. */
export const bertDefaults: BertConfig = {
  vocabSize: 30522, hiddenSize: 768, numHiddenLayers: 12, numAttentionHeads: 12, intermediateSize: 3072, hiddenAct: 'gelu', maxPositionEmbeddings: 512,
  typeVocabSize: 2, layerNormEps: 1e-12, padTokenId: 0, hiddenDropoutProb: 0.1, attentionProbsDropoutProb: 0.1, classifierDropout: null,
};

export interface BertInputs {
  /** (B, T) int32 */
  inputIds: Tensor;
  /** (B, T), 1 for a word and 0 for padding */
  attentionMask?: Tensor;
  /** (B, T) int32, which sentence a word is of; 0 unless given */
  tokenTypeIds?: Tensor;
  /** (B or 1, T) int32; 0 … T − 1 unless given */
  positionIds?: Tensor;
  outputHiddenStates?: boolean;
  outputAttentions?: boolean;
}

/** All tensors are the caller's to dispose. */
export interface BertOutputs {
  /** (B, T, hidden) */
  lastHiddenState: Tensor;
  /** (B, hidden), where the model has a pooler */
  poolerOutput?: Tensor;
  /** The embeddings and each layer's output, (B, T, hidden) */
  hiddenStates?: Tensor[];
  /** Each layer's weights, (B, heads, T, T) */
  attentions?: Tensor[];
}

/** BERT without a head (BertModel); `pooler` where the checkpoint has one. */
export class BertModel extends Module {
  readonly config: BertConfig;
  readonly embeddings: BertEmbeddings;
  readonly encoder: BertEncoder;
  readonly pooler?: Dense;

  constructor(config: Partial<BertConfig> = {}, random = new Random(0), { pooler = true } = {}) {
    super();
    this.config = { ...bertDefaults, ...config };
    this.embeddings = new BertEmbeddings(this.config, random);
    this.encoder = new BertEncoder(this.config, random);
    if (pooler) this.pooler = new Dense(this.config.hiddenSize, this.config.hiddenSize, random);
  }

  forward(inputs: BertInputs): BertOutputs {
    const { inputIds, attentionMask: padding, outputHiddenStates, outputAttentions } = inputs;
    const [batch, length] = inputIds.shape;
    const { maxPositionEmbeddings } = this.config;
    if (length > maxPositionEmbeddings) throw new Error(`${length} positions, but this BERT has ${maxPositionEmbeddings}: shorten the text.`);
    for (const [name, tensor] of [['attentionMask', padding], ['tokenTypeIds', inputs.tokenTypeIds]] as const) {
      if (tensor && (tensor.shape[0] !== batch || tensor.shape[1] !== length)) {
        throw new Error(`${name} has the shape [${tensor.shape}]: expected [${batch}, ${length}], as inputIds.`);
      }
    }
    return tf.tidy(() => {
      const mask = attentionMask({ padding });
      const outputs = this.encoder.forward(this.embeddings.forward(inputs), { mask, outputHiddenStates, outputAttentions });
      if (!this.pooler) return outputs as never;
      const first = tf.reshape(tf.slice(outputs.lastHiddenState, [0, 0, 0], [-1, 1, -1]), [batch, this.config.hiddenSize]);
      return { ...outputs, poolerOutput: tf.tanh(this.pooler.forward(first)) } as never;
    });
  }
}

export interface BertHeadOutputs extends BertOutputs {
  /** (B, classes), or (B, T, vocabulary) of masked words */
  logits: Tensor;
  /** Where labels were given */
  loss?: Tensor;
}

/** BERT with a classifier on the pooled first word (BertForSequenceClassification). */
export class BertForSequenceClassification extends Module {
  readonly bert: BertModel;
  readonly dropout: Dropout;
  readonly classifier: Linear;

  constructor(config: Partial<BertConfig>, readonly numLabels: number, random = new Random(0)) {
    super();
    this.bert = new BertModel(config, random);
    this.dropout = new Dropout(this.config.classifierDropout ?? this.config.hiddenDropoutProb, random);
    this.classifier = new Linear(this.config.hiddenSize, numLabels, random);
  }

  get config(): BertConfig { return this.bert.config; }

  /** `labels` (B) int32, one class each: mean cross entropy; or (B, classes) float32 in [0, 1], several: mean binary cross entropy. */
  forward({ labels, ...inputs }: BertInputs & { labels?: Tensor }): BertHeadOutputs {
    return tf.tidy(() => {
      const outputs = this.bert.forward(inputs);
      const logits = this.classifier.forward(this.dropout.forward(outputs.poolerOutput!));
      if (!labels) return { ...outputs, logits } as never;
      const single = labels.dtype === 'int32', wanted = single ? logits.shape.slice(0, 1) : logits.shape;
      if (String(labels.shape) !== String(wanted)) throw new Error(`${labels.dtype} labels have the shape [${labels.shape}]: expected [${wanted.join(', ')}].`);
      return { ...outputs, logits, loss: single ? crossEntropy(logits as Tensor2D, labels as Tensor1D) : binaryCrossEntropy(logits, labels) } as never;
    });
  }
}

/** BERT that guesses masked words (BertForMaskedLM); the output layer is the word embedding, transposed, with a bias of its own. */
export class BertForMaskedLM extends Module {
  readonly bert: BertModel;
  readonly cls: BertWordHead;

  constructor(config: Partial<BertConfig> = {}, random = new Random(0)) {
    super();
    this.bert = new BertModel(config, random, { pooler: false });
    this.cls = new BertWordHead(this.bert.config, random);
  }

  get config(): BertConfig { return this.bert.config; }

  /** `labels` (B, T) int32: the word of each position, −100 where not counted. */
  forward({ labels, ...inputs }: BertInputs & { labels?: Tensor }): BertHeadOutputs {
    return tf.tidy(() => {
      const outputs = this.bert.forward(inputs);
      const { vocabSize, hiddenSize } = this.config;
      const { transform, bias } = this.cls.predictions;
      const states = tf.reshape(transform.forward(outputs.lastHiddenState), [-1, hiddenSize]);
      const rows = tf.add(matMul(states, this.bert.embeddings.word_embeddings.weight.tensor, false, true), bias.tensor);
      const logits = tf.reshape(rows, [...inputs.inputIds.shape, vocabSize]);
      if (labels && String(labels.shape) !== String(inputs.inputIds.shape)) {
        throw new Error(`labels have the shape [${labels.shape}]: expected [${inputs.inputIds.shape}], as inputIds.`);
      }
      return { ...outputs, logits, ...(labels ? { loss: crossEntropy(rows as Tensor2D, tf.reshape(labels, [-1]) as Tensor1D) } : {}) } as never;
    });
  }
}

/** For `loadState`: the first published files call a normalisation's weight and bias gamma and beta, and store the position numbers. */
export const bertLoadOptions = {
  rename: (name: string): string => name.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias'),
  prefix: 'bert.',
  ignore: /embeddings\.position_ids$/,
  tied: { 'cls.predictions.decoder.weight': 'bert.embeddings.word_embeddings.weight', 'cls.predictions.decoder.bias': 'cls.predictions.bias' },
};
