import { tf, type Tensor2D } from '../engine';
import type { CaptionIds } from '../tokenizers';

/** B captions, T ids, all int32. */
export interface CaptionRows {
  /** (B, T): start token, prompt, words */
  inputIds: Tensor2D;
  /** (B, T): what follows each of them, the end token last; −100 in the prompt and the padding */
  labels: Tensor2D;
  /** (B, T): 0 for padding; only where it stands left */
  attentionMask?: Tensor2D;
}

/**
 * Captions (ids without start and end) as rows to learn from; the caller disposes them.
 *
 * @param longest words that a row has room for; unless given, those of the longest caption
 */
export function captionRows(
  captions: readonly (readonly number[])[], vocabulary: Omit<CaptionIds, 'encode'>,
  longest: number = Math.max(...captions.map(({ length }) => length)),
): CaptionRows {
  const { startId, endId, padId, promptIds = [], paddingSide = 'right' } = vocabulary, isLeft = paddingSide === 'left';
  const before = [startId, ...promptIds], steps = before.length + longest;
  const size = captions.length * steps;
  const inputs = new Int32Array(size).fill(padId), labels = new Int32Array(size).fill(-100), mask = new Int32Array(size);
  for (const [row, words] of captions.entries()) {
    const length = before.length + words.length, from = row * steps + (isLeft ? steps - length : 0);
    inputs.set([...before, ...words], from);
    labels.set([...words, endId], from + promptIds.length);
    mask.fill(1, from, from + length);
  }
  const matrix = (values: Int32Array): Tensor2D => tf.tensor2d(values, [captions.length, steps], 'int32');
  return { inputIds: matrix(inputs), labels: matrix(labels), ...(isLeft ? { attentionMask: matrix(mask) } : {}) };
}
