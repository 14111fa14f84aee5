/** Report 001, part B: GPT-2 with cross attention as the decoder of a frozen ViT's states; all of it is trained. */
import { tf, type Scalar, type Tensor } from '../engine';
import { positionIdsOf, type GPT2Config, type GPT2LMHeadModel, type VisionEncoderDecoderModel } from '../models';
import { Module, type Linear } from '../nn';
import { wordLosses, type CaptionBatch, type CaptionLosses, type FeatureDecoder } from './caption-decoder';

/**
 * Where the positions of a left-padded caption are counted from: its own first token ('text'), as it is generated, or the left edge of its
 * batch ('batch'), which is what transformers' GPT-2 does in training unless it is told the positions.
 */
export type PositionsFrom = 'text' | 'batch';

/** What is trained of a VisionEncoderDecoderModel whose encoder has run before; its parameters are the model's, by the same names. */
export class Gpt2Decoder extends Module implements FeatureDecoder {
  readonly decoder: GPT2LMHeadModel;
  readonly enc_to_dec_proj?: Linear;
  readonly config: GPT2Config & { featureSize: number; positionsFrom: PositionsFrom };

  constructor({ config, decoder, enc_to_dec_proj }: VisionEncoderDecoderModel, positionsFrom: PositionsFrom = 'text') {
    super();
    this.decoder = decoder;
    if (enc_to_dec_proj) this.enc_to_dec_proj = enc_to_dec_proj;
    this.config = { ...config.decoder, featureSize: config.encoder.hiddenSize, positionsFrom };
  }

  /** Features (B, S, F), ids and mask (B, T) → logits (B, T, vocabulary). */
  forward({ features, inputIds, attentionMask }: Omit<CaptionBatch, 'labels'>): Tensor {
    return tf.tidy(() => {
      const positionIds = attentionMask && this.config.positionsFrom === 'text' ? positionIdsOf(attentionMask) : undefined;
      const encoderHiddenStates = this.enc_to_dec_proj ? this.enc_to_dec_proj.forward(features) : features;
      return this.decoder.forward({ inputIds, attentionMask, positionIds, encoderHiddenStates }).logits;
    });
  }

  /** Mean cross entropy per piece, prompt and padding left out. */
  loss(batch: CaptionBatch): Scalar { return tf.tidy(() => this.losses(batch).loss); }

  losses({ labels, ...inputs }: CaptionBatch): CaptionLosses {
    return tf.tidy(() => wordLosses(this.forward(inputs), labels) as never);
  }
}
