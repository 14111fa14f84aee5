/**
 * BLIP's text decoder (transformers' BlipTextLMHeadModel, after BERT): causal self attention, cross attention to the picture in every
 * layer, output layer tied to the word embedding.
 */
import { Random, tf, type Tensor } from '../../engine';
import { attentionMask, Module } from '../../nn';
import { BertEmbeddings, BertEncoder, BertWordHead, type BertEncoderInputs, type BertEncoderOutputs } from '../bert-layers';
import { languageModelHead } from '../causal-language-model';
import { blipDefaults, type BlipTextConfig } from './config';

export interface BlipTextInputs extends Omit<BertEncoderInputs, 'mask'> {
  /** (B, T) int32; with pastKeyValues only the new ones */
  inputIds: Tensor;
  /** (B, past + T), 1 for a word and 0 for padding */
  attentionMask?: Tensor;
  /** (B or 1, T) int32; past … past + T − 1 unless given */
  positionIds?: Tensor;
}

class BlipTextModel extends Module {
  readonly embeddings: BertEmbeddings;
  readonly encoder: BertEncoder;

  constructor(config: BlipTextConfig, random: Random) {
    super();
    this.embeddings = new BertEmbeddings(config, random);
    this.encoder = new BertEncoder(config, random);
  }
}

/** All tensors are the caller's to dispose. */
export interface BlipTextOutputs extends BertEncoderOutputs {
  /** (B, T, vocabulary); only the last `logitsToKeep` positions where that is given */
  logits: Tensor;
  /** Mean cross entropy of each next word, where labels were given */
  loss?: Tensor;
}

export class BlipTextLMHeadModel extends Module {
  readonly config: BlipTextConfig;
  readonly bert: BlipTextModel;
  readonly cls: BertWordHead;

  constructor(config: Partial<BlipTextConfig> = {}, random = new Random(0)) {
    super();
    this.config = { ...blipDefaults.textConfig, ...config };
    this.bert = new BlipTextModel(this.config, random);
    this.cls = new BertWordHead(this.config, random);
  }

  /** `labels` (B, T) int32 as the inputs, −100 where not counted: position t is scored on label t + 1. */
  forward({ labels, logitsToKeep, ...inputs }: BlipTextInputs & { labels?: Tensor; logitsToKeep?: number }): BlipTextOutputs {
    const { inputIds, attentionMask: padding, encoderHiddenStates: encoder, pastKeyValues } = inputs;
    const { maxPositionEmbeddings, encoderHiddenSize, numHiddenLayers, labelSmoothing } = this.config;
    const past = pastKeyValues?.[0].key.shape[2] ?? 0, length = inputIds.shape[1]!;
    if (past + length > maxPositionEmbeddings) {
      throw new Error(`${past + length} positions, but this BLIP has ${maxPositionEmbeddings}: shorten the text.`);
    }
    if (pastKeyValues && pastKeyValues.length !== numHiddenLayers) {
      throw new Error(`pastKeyValues of ${pastKeyValues.length} layers for ${numHiddenLayers}.`);
    }
    if (encoder && (encoder.shape[2] !== encoderHiddenSize || inputIds.shape[0] % encoder.shape[0] !== 0)) {
      const expected = `[${inputIds.shape[0]}, positions, ${encoderHiddenSize}]`;
      throw new Error(`encoderHiddenStates have the shape [${encoder.shape}]: expected ${expected}.`);
    }
    return tf.tidy(() => {
      const mask = attentionMask({ causal: { queries: length, keys: past + length }, padding });
      const outputs = this.bert.encoder.forward(this.bert.embeddings.forward(inputs, past), { ...inputs, mask });
      const { bias, transform } = this.cls.predictions;
      const options = { bias: bias.tensor, labels, labelSmoothing, logitsToKeep };
      const { weight } = this.bert.embeddings.word_embeddings;
      const head = languageModelHead(transform.forward(outputs.lastHiddenState), weight.tensor, options);
      return { ...outputs, ...head } as never;
    });
  }
}
