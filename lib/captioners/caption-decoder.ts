import type { Scalar, Tensor, Tensor2D } from '../engine';
import type { StepDecoder } from '../generation';
import type { Module } from '../nn';

/** One training batch. B captions, T words, L positions, F features. */
export interface CaptionBatch {
  /** (B, L, F) */
  features: Tensor;
  /** (B, T) int32: start token and words, filled with padding */
  inputIds: Tensor2D;
  /** (B, T) int32: words and end token, filled with −100, which counts for nothing */
  labels: Tensor2D;
}

export type DisposableStepDecoder = StepDecoder & { dispose(): void };

/** The recurrent half of reports 001 A, 002 and 003: from an image encoder's features to words. */
export interface CaptionDecoder extends Module {
  readonly config: { vocabSize: number; featureSize: number };
  /** What training minimises. */
  loss(batch: CaptionBatch): Scalar;
  /** For searches over the captions of these images, features (B, L, F). Dispose it after the search. */
  stepDecoder(features: Tensor): DisposableStepDecoder;
}
