import { crossEntropy, tf, type Scalar, type Tensor, type Tensor2D } from '../engine';
import type { StepDecoder } from '../generation';
import type { Module } from '../nn';

/** One training batch. B captions, T words, L positions, F features. */
export interface CaptionBatch {
  /** (B, L, F) */
  features: Tensor;
  /** (B, T) int32: start token, prompt (if there is one) and words, filled with padding */
  inputIds: Tensor2D;
  /** (B, T) int32: 0 where padding stands left of the text, 1 elsewhere. Padding on the right has none: no word before it sees it. */
  attentionMask?: Tensor2D;
  /** (B, T) int32: what follows each input, words and end token; −100, which counts for nothing, in the prompt and the padding */
  labels: Tensor2D;
}

export interface CaptionLosses {
  loss: Scalar;
  /** (B, T, vocabulary), for accuracies and distillation */
  logits: Tensor;
}

export type DisposableStepDecoder = StepDecoder & { dispose(): void };

export interface StepDecoderOptions {
  /** All layers' and heads' attention instead of one map a word, where the decoder has several. */
  outputAttentions?: boolean;
}

/** The second half of the captioners of reports 001 to 004, as training sees it: from an image encoder's features to words. */
export interface FeatureDecoder extends Module {
  readonly config: { vocabSize: number; featureSize: number };
  /** What training minimises. */
  loss(batch: CaptionBatch): Scalar;
  /** The same, and what it was taken from. The caller disposes all tensors. */
  losses(batch: CaptionBatch): CaptionLosses;
}

/** One that FeatureCaptioner searches captions with. */
export interface CaptionDecoder extends FeatureDecoder {
  /** For searches over the captions of these images, features (B, L, F). Dispose it after the search. */
  stepDecoder(features: Tensor, options?: StepDecoderOptions): DisposableStepDecoder;
}

/** Mean cross entropy per word, labels of −100 left out. */
export function wordLosses(logits: Tensor, labels: Tensor2D): CaptionLosses {
  return { loss: tf.tidy(() => crossEntropy(tf.reshape(logits, [-1, logits.shape.at(-1)!]), tf.reshape(labels, [-1]))), logits };
}

/**
 * A step decoder from what it keeps of the images, tensors with a row an image, which it takes over: `select` takes rows of them.
 *
 * @param make the decoder of as many images as the tensors have rows
 */
export function imageStepDecoder<T extends readonly Tensor[]>(constants: T, make: (constants: T) => StepDecoder): DisposableStepDecoder {
  return {
    ...make(constants),
    select: (images) => {
      const rows = tf.tensor1d(images, 'int32');
      try { return imageStepDecoder(constants.map((tensor) => tf.gather(tensor, rows)) as unknown as T, make); } finally { rows.dispose(); }
    },
    dispose: () => { tf.dispose(constants as unknown as Tensor[]); },
  };
}
