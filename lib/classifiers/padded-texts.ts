import { tf, type Tensor2D } from '../engine';

export interface PaddedTexts {
  /** (B, T) int32, T the length of the longest */
  inputIds: Tensor2D;
  /** (B, T) int32, 1 for an id of the text and 0 for padding */
  attentionMask: Tensor2D;
}

/** A batch as long as its longest text, padded at the end; the caller disposes it. */
export function padTexts(texts: readonly (readonly number[])[], padId: number, length = Math.max(...texts.map((ids) => ids.length))): PaddedTexts {
  const inputIds = new Int32Array(texts.length * length).fill(padId), attentionMask = new Int32Array(texts.length * length);
  for (const [row, ids] of texts.entries()) {
    inputIds.set(ids, row * length);
    attentionMask.fill(1, row * length, row * length + ids.length);
  }
  return {
    inputIds: tf.tensor2d(inputIds, [texts.length, length], 'int32'),
    attentionMask: tf.tensor2d(attentionMask, [texts.length, length], 'int32'),
  };
}
