import { tf, type Tensor } from '../engine';

/** (1, vocabulary) with −∞ at the suppressed ids, to add to log-probabilities; undefined if there are none. The caller disposes it. */
export function suppressionMask(vocabSize: number, tokens: readonly number[] | undefined): Tensor | undefined {
  if (!tokens?.length) return undefined;
  const values = new Float32Array(vocabSize);
  for (const id of tokens) {
    if (!(id >= 0 && id < vocabSize)) throw new Error(`suppressTokens names id ${id}, the vocabulary has ${vocabSize}.`);
    values[id] = -Infinity;
  }
  return tf.tensor2d(values, [1, vocabSize]);
}

/** Log-probabilities (rows, vocabulary), −∞ where the mask says so. */
export const logProbabilities = (logits: Tensor, mask: Tensor | undefined): Tensor => (mask ? tf.add(tf.logSoftmax(logits), mask) : tf.logSoftmax(logits));
