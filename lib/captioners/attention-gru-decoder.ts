/**
 * Report 003: image features, additive attention, GRU. Parameter names are those of the report's DecoderGRU; the encoder stands
 * beside it and is frozen.
 */
import { matMul, Random, tf, type Scalar, type Tensor, type Tensor2D } from '../engine';
import { repeatRows, type DecoderStep, type RowState } from '../generation';
import { AdditiveAttention, attentionGru, Dropout, Embedding, Gru, Linear, Module } from '../nn';
import { imageStepDecoder, wordLosses, type CaptionBatch, type CaptionDecoder, type CaptionLosses, type DisposableStepDecoder } from './caption-decoder';

export interface AttentionGruConfig {
  vocabSize: number;
  /** Features per image position (1,280 for MobileNetV2). */
  featureSize: number;
  embedSize: number;
  hiddenSize: number;
  dropout: number;
  /**
   * 'hiddenState': attention anew for every word, from the GRU's state (Show, Attend and Tell). 'initialState': the report's own
   * code, which computes it once from the zero state and repeats that context for every word.
   */
  attentionFrom: 'hiddenState' | 'initialState';
  padId: number;
}

export const attentionGruDefaults = { embedSize: 256, hiddenSize: 512, dropout: 0.5, attentionFrom: 'hiddenState', padId: 0 } as const;

export class AttentionGruDecoder extends Module implements CaptionDecoder {
  static readonly modelType = 'attention_gru_captioner';
  readonly embedding: Embedding;
  readonly attention: AdditiveAttention;
  readonly gru: Gru;
  readonly fc: Linear;
  private readonly dropout: Dropout;

  constructor(readonly config: AttentionGruConfig, random: Random) {
    super();
    const { vocabSize, featureSize, embedSize, hiddenSize, dropout, padId } = config;
    this.embedding = new Embedding(vocabSize, embedSize, random, padId);
    this.attention = new AdditiveAttention(featureSize, hiddenSize, random);
    this.gru = new Gru(embedSize + featureSize, hiddenSize, random);
    this.fc = new Linear(hiddenSize, vocabSize, random);
    this.dropout = new Dropout(dropout, random);
  }

  /** Features (B, L, F), ids (B, T) → logits (B, T, vocabulary) and attention (B, T, L). */
  forward(features: Tensor, inputIds: Tensor2D): { logits: Tensor; attention: Tensor } {
    const { embedSize, featureSize, hiddenSize, attentionFrom } = this.config;
    const [batch, steps] = inputIds.shape;
    const positions = features.shape[1]!;
    const [logits, attention] = tf.tidy(() => {
      const words = tf.reshape(this.embedding.forward(tf.transpose(inputIds)), [steps * batch, embedSize]);
      const [wordWeight, contextWeight] = tf.split(this.gru.weight_ih_l0.tensor, [embedSize, featureSize], 1);
      const gates = tf.add(matMul(words, wordWeight, false, true), this.gru.bias_ih_l0.tensor);
      const output = attentionGru({
        features,
        projected: this.attention.projectFeatures(features),
        wordGates: tf.reshape(gates, [steps, batch, 3 * hiddenSize]),
        initialHidden: tf.zeros([batch, hiddenSize]),
        contextWeight,
        hiddenWeight: tf.concat([this.attention.hiddenWeight(), this.gru.weight_hh_l0.tensor], 0),
        hiddenBias: this.gru.bias_hh_l0.tensor,
        scoreWeight: this.attention.v.weight.tensor,
      }, attentionFrom === 'initialState');
      const hidden = tf.slice(output, [0, 0, 0], [batch, steps, hiddenSize]);
      return [this.fc.forward(this.dropout.forward(hidden)), tf.slice(output, [0, 0, hiddenSize], [batch, steps, positions])];
    });
    return { logits, attention };
  }

  /** Mean cross entropy per word, padding ignored. */
  loss(batch: CaptionBatch): Scalar { return tf.tidy(() => this.losses(batch).loss); }

  losses({ features, inputIds, labels }: CaptionBatch): CaptionLosses {
    return tf.tidy(() => wordLosses(this.forward(features, inputIds).logits, labels) as never);
  }

  /** For greedy and beam search over the captions of these images. Dispose it after the search. */
  stepDecoder(given: Tensor): DisposableStepDecoder {
    const { attention, config } = this, projected = attention.projectFeatures(given);
    // The report's variant looks once, from the zero state.
    const fixed = config.attentionFrom === 'initialState' ? this.attendOnce(given, projected) : undefined;
    const constants = [tf.clone(given), projected, ...(fixed ? [fixed.context, fixed.weights] : [])];
    return imageStepDecoder(constants, ([features, projections, ...looked]) => ({
      vocabSize: config.vocabSize,
      attentionShape: [features.shape[1]!],
      start: (images: number, beams: number): RowState => [tf.zeros([images * beams, config.hiddenSize])],
      step: (ids: Int32Array, [hidden]: RowState): DecoderStep => {
        const [logits, next, weights] = tf.tidy(() => {
          const [context, weights] = looked.map((tensor) => repeatRows(tensor, ids.length / features.shape[0]));
          const attended = context ? { context, weights } : attention.forward(features, projections, hidden);
          const next = this.gru.step(tf.concat([this.embedding.forward(tf.tensor1d(ids, 'int32')), attended.context], 1), hidden);
          return [this.fc.forward(next), next, attended.weights];
        });
        return { logits, state: [next], attention: weights };
      },
    }));
  }

  private attendOnce(features: Tensor, projected: Tensor): { context: Tensor; weights: Tensor } {
    const zeros = tf.zeros([features.shape[0], this.config.hiddenSize]);
    const attended = this.attention.forward(features, projected, zeros);
    zeros.dispose();
    return attended;
  }
}
