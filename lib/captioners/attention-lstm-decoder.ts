/**
 * Report 002: the soft-attention decoder of Show, Attend and Tell (Xu et al. 2015, https://arxiv.org/abs/1502.03044) with the parameter names
 * of the PyTorch implementation that the report builds on (a-PyTorch-Tutorial-to-Image-Captioning, models.py).
 */
import { matMul, Random, tf, type Scalar, type Tensor, type Tensor2D } from '../engine';
import { repeatRows, type DecoderStep, type RowState } from '../generation';
import { attend, attentionLstm, Dropout, Embedding, Linear, LstmCell, Module, uniform, type AttentionActivation } from '../nn';
import { imageStepDecoder, wordLosses, type CaptionBatch, type CaptionDecoder, type CaptionLosses, type DisposableStepDecoder } from './caption-decoder';

export interface AttentionLstmConfig {
  vocabSize: number;
  /** Features per image position (2,048 for ResNet-50 and ResNet-101). */
  featureSize: number;
  embedSize: number;
  hiddenSize: number;
  attentionSize: number;
  dropout: number;
  /** tanh in the paper's own code, relu in the implementation that the report builds on. */
  attentionActivation: AttentionActivation;
  /** λ of the doubly stochastic penalty (paper, equation 14): every position should be looked at once, over the whole caption. */
  attentionPenalty: number;
}

export const attentionLstmDefaults = {
  embedSize: 512, hiddenSize: 512, attentionSize: 512, dropout: 0.5, attentionActivation: 'relu', attentionPenalty: 1,
} as const;

class SoftAttention extends Module {
  readonly encoder_att: Linear;
  readonly decoder_att: Linear;
  readonly full_att: Linear;

  constructor({ featureSize, hiddenSize, attentionSize }: AttentionLstmConfig, random: Random) {
    super();
    this.encoder_att = new Linear(featureSize, attentionSize, random);
    this.decoder_att = new Linear(hiddenSize, attentionSize, random);
    this.full_att = new Linear(attentionSize, 1, random);
  }

  /** Features (B, L, F) → the hidden layer's constant part (B, L, A), both biases included. */
  project(features: Tensor): Tensor { return tf.tidy(() => tf.add(this.encoder_att.forward(features), this.decoder_att.bias!.tensor)); }
}

export class AttentionLstmDecoder extends Module implements CaptionDecoder {
  static readonly modelType = 'attention_lstm_captioner';
  readonly attention: SoftAttention;
  readonly embedding: Embedding;
  readonly decode_step: LstmCell;
  readonly init_h: Linear;
  readonly init_c: Linear;
  readonly f_beta: Linear;
  readonly fc: Linear;
  private readonly dropout: Dropout;

  constructor(readonly config: AttentionLstmConfig, random: Random) {
    super();
    const { vocabSize, featureSize, embedSize, hiddenSize, dropout } = config;
    this.attention = new SoftAttention(config, random);
    this.embedding = new Embedding(vocabSize, embedSize, random);
    this.decode_step = new LstmCell(embedSize + featureSize, hiddenSize, random);
    this.init_h = new Linear(featureSize, hiddenSize, random);
    this.init_c = new Linear(featureSize, hiddenSize, random);
    this.f_beta = new Linear(hiddenSize, featureSize, random);
    this.fc = new Linear(hiddenSize, vocabSize, random);
    for (const { weight } of [this.embedding, this.fc]) weight.assign(uniform(weight.shape, 0.1, random));
    this.fc.bias!.assign(tf.zeros([vocabSize]));
    this.dropout = new Dropout(dropout, random);
  }

  /** Hidden state and cell before the first word, (B, H) each, from the mean of the features (paper, section 3.1.2). */
  private initialState(features: Tensor): Tensor[] {
    return tf.tidy(() => {
      const mean = tf.mean(features, 1);
      return [this.init_h.forward(mean), this.init_c.forward(mean)];
    });
  }

  /** Features (B, L, F), ids (B, T) → logits (B, T, vocabulary) and attention (B, T, L). */
  forward(features: Tensor, inputIds: Tensor2D): { logits: Tensor; attention: Tensor } {
    const { embedSize, featureSize, hiddenSize, attentionActivation } = this.config;
    const [batch, steps] = inputIds.shape, positions = features.shape[1]!;
    const [logits, attention] = tf.tidy(() => {
      const { weight_ih, weight_hh, bias_ih, bias_hh } = this.decode_step;
      const words = tf.reshape(this.embedding.forward(tf.transpose(inputIds)), [steps * batch, embedSize]);
      const [wordWeight, contextWeight] = tf.split(weight_ih.tensor, [embedSize, featureSize], 1);
      const gates = tf.add(matMul(words, wordWeight, false, true), tf.add(bias_ih.tensor, bias_hh.tensor));
      const [initialHidden, initialCell] = this.initialState(features);
      const output = attentionLstm({
        features,
        projected: this.attention.project(features),
        wordGates: tf.reshape(gates, [steps, batch, 4 * hiddenSize]),
        initialHidden, initialCell, contextWeight,
        hiddenWeight: tf.concat([this.attention.decoder_att.weight.tensor, this.f_beta.weight.tensor, weight_hh.tensor], 0),
        gateBias: this.f_beta.bias!.tensor,
        scoreWeight: this.attention.full_att.weight.tensor,
      }, attentionActivation);
      const hidden = tf.slice(output, [0, 0, 0], [batch, steps, hiddenSize]);
      return [this.fc.forward(this.dropout.forward(hidden)), tf.slice(output, [0, 0, hiddenSize], [batch, steps, positions])];
    });
    return { logits, attention };
  }

  /** Mean cross entropy per word, and the doubly stochastic penalty: λ · mean over positions of (1 − Σ attention)². */
  loss(batch: CaptionBatch): Scalar { return tf.tidy(() => this.losses(batch).loss); }

  /** `crossEntropy` is the loss without the penalty. */
  losses({ features, inputIds, labels }: CaptionBatch): CaptionLosses & { crossEntropy: Scalar } {
    return tf.tidy(() => {
      const { logits, attention } = this.forward(features, inputIds);
      const { loss: words } = wordLosses(logits, labels);
      const counted = tf.expandDims(tf.cast(tf.notEqual(labels, -100), 'float32'), 2);
      const looked = tf.sum(tf.mul(attention, counted), 1);
      const penalty = tf.mean(tf.square(tf.sub(1, looked)));
      return { loss: tf.add(words, tf.mul(penalty, this.config.attentionPenalty)), crossEntropy: words, logits } as never;
    });
  }

  stepDecoder(given: Tensor): DisposableStepDecoder {
    return imageStepDecoder([tf.clone(given), this.attention.project(given)], ([features, projected]) => ({
      vocabSize: this.config.vocabSize,
      attentionShape: [features.shape[1]!],
      start: (_images: number, beams: number): RowState => tf.tidy(() => this.initialState(features).map((tensor) => repeatRows(tensor, beams))),
      step: (ids: Int32Array, [hidden, cell]: RowState): DecoderStep => {
        const [logits, nextHidden, nextCell, weights] = tf.tidy(() => {
          const { decoder_att, full_att } = this.attention;
          const query = matMul(hidden, decoder_att.weight.tensor, false, true);
          const { context, weights } = attend(features, projected, query, full_att.weight.tensor, this.config.attentionActivation);
          const gated = tf.mul(tf.sigmoid(this.f_beta.forward(hidden)), context);
          const next = this.decode_step.forward(tf.concat([this.embedding.forward(tf.tensor1d(ids, 'int32')), gated], 1), { hidden, cell });
          return [this.fc.forward(next.hidden), next.hidden, next.cell, weights];
        });
        return { logits, state: [nextHidden, nextCell], attention: weights };
      },
    }));
  }
}
