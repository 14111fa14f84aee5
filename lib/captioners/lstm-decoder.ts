/**
 * Report 001, part A: an LSTM of several layers that gets the picture as its first input and the words after it (as Show and Tell, Vinyals et
 * al. 2015, https://arxiv.org/abs/1411.4555).
 */
import { Random, tf, type Scalar, type Tensor, type Tensor2D } from '../engine';
import { repeatRows, type DecoderStep, type RowState } from '../generation';
import { Embedding, heNormal, Linear, Lstm, Module, Parameter } from '../nn';
import { imageStepDecoder, wordLosses, type CaptionBatch, type CaptionDecoder, type CaptionLosses, type DisposableStepDecoder } from './caption-decoder';

export interface LstmDecoderConfig {
  vocabSize: number;
  /** Features of the picture (1,536 for InceptionResNetV2, before its last layer). */
  featureSize: number;
  embedSize: number;
  hiddenSize: number;
  numLayers: number;
  /** Between the layers. */
  dropout: number;
  /** Whether each feature is brought to mean 0 and variance 1 first, by what `standardize` was told; default false. */
  standardizeFeatures?: boolean;
}

/** Of features, one value each. */
export interface FeatureStatistics { mean: Float32Array; std: Float32Array }

export const lstmDecoderDefaults = { embedSize: 1024, hiddenSize: 1024, numLayers: 3, dropout: 0 } as const;

/** Mean square of a new LSTM's hidden states, measured. He's distribution takes 1, with which little of the picture would come up. */
const HIDDEN_SQUARE = 0.07;

/** A bias (4H,) of zeros but for the forget gate, the second quarter. */
const forgetGateOfOne = (size: number): Tensor => tf.tidy(() => tf.concat([tf.zeros([size]), tf.ones([size]), tf.zeros([2 * size])]));

export class LstmDecoder extends Module implements CaptionDecoder {
  static readonly modelType = 'lstm_captioner';
  /** The encoder's last layer in the report: its only trained one, to the width of a word. */
  readonly encoder_fc: Linear;
  /** Of the features, (F); there if they are standardised. */
  readonly feature_mean?: Parameter;
  readonly feature_std?: Parameter;
  readonly embedding: Embedding;
  readonly lstm: Lstm;
  readonly fc: Linear;

  constructor(readonly config: LstmDecoderConfig, random: Random) {
    super();
    const { vocabSize, featureSize, embedSize, hiddenSize, numLayers, dropout } = config;
    this.encoder_fc = new Linear(featureSize, embedSize, random);
    if (config.standardizeFeatures) {
      this.feature_mean = new Parameter(tf.zeros([featureSize]), { isBuffer: true });
      this.feature_std = new Parameter(tf.ones([featureSize]), { isBuffer: true });
    }
    this.embedding = new Embedding(vocabSize, embedSize, random);
    this.lstm = new Lstm(embedSize, hiddenSize, random, { numLayers, dropout });
    this.fc = new Linear(hiddenSize, vocabSize, random);
    // The report names normal and He initialisation, not which layer has which: words stay standard normal, all else that is multiplied
    // is He's. An LSTM that starts out remembering (Jozefowicz et al. 2015, https://proceedings.mlr.press/v37/jozefowicz15.html) still
    // has the picture when it comes to the words that name what is in it.
    for (const module of [this.encoder_fc, this.lstm, this.fc]) {
      for (const [name, parameter] of module.namedParameters()) {
        const { shape } = parameter;
        const square = /^weight_ih_l[1-9]/.test(name) ? HIDDEN_SQUARE : 1;
        if (shape.length > 1) parameter.assign(heNormal(shape, shape[1] * square, random));
        else parameter.assign(name.startsWith('bias_ih') ? forgetGateOfOne(hiddenSize) : tf.zeros(shape));
      }
    }
  }

  /**
   * Tells mean and standard deviation of the features, (F) each, before training. A network's pooled features are all positive and differ
   * little from picture to picture: as they are, an LSTM of several layers takes long to tell pictures apart.
   *
   * @throws Error when the decoder does not standardise
   */
  standardize({ mean, std }: FeatureStatistics): void {
    if (!this.feature_mean || !this.feature_std) throw new Error('This decoder takes features as they are: build it with standardizeFeatures: true.');
    this.feature_mean.load(mean);
    this.feature_std.load(std);
  }

  /** Features (B, L, F) → the first input (B, embedding): the mean over the positions, projected. */
  private picture(features: Tensor): Tensor {
    const { feature_mean: mean, feature_std: std } = this, pooled = tf.mean(features, 1);
    return this.encoder_fc.forward(mean && std ? tf.div(tf.sub(pooled, mean.tensor), std.tensor) : pooled);
  }

  /** Features (B, L, F), ids (B, T), of which the first, the start token, gives its place to the picture → logits (B, T, vocabulary). */
  forward(features: Tensor, inputIds: Tensor2D): { logits: Tensor } {
    const [batch, steps] = inputIds.shape;
    return tf.tidy(() => {
      const picture = tf.expandDims(this.picture(features), 1);
      const words = steps > 1 ? [this.embedding.forward(tf.slice(inputIds, [0, 1], [batch, steps - 1]))] : [];
      return { logits: this.fc.forward(this.lstm.forward(tf.concat([picture, ...words], 1)).output) } as never;
    });
  }

  /** Mean cross entropy per word, padding ignored. */
  loss(batch: CaptionBatch): Scalar { return tf.tidy(() => this.losses(batch).loss); }

  losses({ features, inputIds, labels }: CaptionBatch): CaptionLosses {
    return tf.tidy(() => wordLosses(this.forward(features, inputIds).logits, labels) as never);
  }

  stepDecoder(features: Tensor): DisposableStepDecoder {
    const { numLayers, hiddenSize, vocabSize } = this.config;
    // Which step reads the picture, whichever of the images are left.
    let first = false;
    return imageStepDecoder([tf.tidy(() => this.picture(features))], ([picture]) => ({
      vocabSize,
      start: (images: number, beams: number): RowState => {
        first = true;
        return Array.from({ length: 2 * numLayers }, () => tf.zeros([images * beams, hiddenSize]));
      },
      step: (ids: Int32Array, state: RowState): DecoderStep => {
        const [logits, ...next] = tf.tidy(() => {
          const input = first ? repeatRows(picture, ids.length / picture.shape[0]) : this.embedding.forward(tf.tensor1d(ids, 'int32'));
          const { output, hidden, cell } = this.lstm.step(input, { hidden: state.slice(0, numLayers), cell: state.slice(numLayers) });
          return [this.fc.forward(output), ...hidden, ...cell];
        });
        first = false;
        return { logits, state: next };
      },
    }));
  }
}
