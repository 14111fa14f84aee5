/** What decoders that predict the next word share: their cache, the positions of padded batches, the output layer's loss. */
import { crossEntropy, matMul, nativeOp, tf, type Tensor, type Tensor1D, type Tensor2D } from '../engine';

/** One layer's keys and values, (B, heads, positions, size), rows in the order of the batch; cross ones where there is an encoder. */
export interface KeyValues {
  key: Tensor;
  value: Tensor;
  crossKey?: Tensor;
  crossValue?: Tensor;
  /**
   * Where there is room for more positions than are filled: (1, 1, positions, 1) bool, true at the one that the next word takes. Its mask and
   * positions must then be given, too.
   */
  place?: Tensor;
}

/** Keys (or values) with those of the next words: behind the past ones, or in their place. */
export function withNext(past: Tensor, next: Tensor, place: Tensor | undefined): Tensor {
  if (!place) return tf.concat([past, next], 2);
  return nativeOp('SelectV2', { T: { dtype: 'float32' } }, [place, next, past])[0];
}

/** How many positions of the past are filled, and how many keys there are with `length` new words. */
export function pastPositions(pastKeyValues: readonly KeyValues[] | undefined, length: number): { past: number; keys: number } {
  const room = pastKeyValues?.[0].key.shape[2] ?? 0;
  return pastKeyValues?.[0].place ? { past: 0, keys: room } : { past: room, keys: room + length };
}

/** Positions (B, T) of a left-padded batch, from its attention mask (B, past + T): words count from 0, padding stands at 0. */
export function positionIdsOf(attentionMask: Tensor, length = attentionMask.shape[1]!): Tensor {
  return tf.tidy(() => {
    const mask = tf.cast(attentionMask, 'float32');
    const positions = tf.cast(tf.mul(tf.sub(tf.cumsum(mask, 1), 1), mask), 'int32');
    return tf.slice(positions, [0, attentionMask.shape[1]! - length], [-1, -1]);
  });
}

export interface LanguageModelHeadOptions {
  /** (vocabulary), of the output layer */
  bias?: Tensor;
  /** (B, T) int32, −100 where not counted: adds the loss */
  labels?: Tensor;
  /** Share of each target that is spread over the whole vocabulary, in the loss */
  labelSmoothing?: number;
  /** How many of the last positions get logits; all where it is 0 or left out */
  logitsToKeep?: number;
}

/** Logits (B, kept, vocabulary) of states (B, T, hidden) by an output layer's weight (vocabulary, hidden), and with `labels` the loss. */
export function languageModelHead(states: Tensor, weight: Tensor, options: LanguageModelHeadOptions): { logits: Tensor; loss?: Tensor } {
  const { bias, labels, labelSmoothing, logitsToKeep } = options;
  if (labels && logitsToKeep) throw new Error('The loss needs the logits of all positions: leave logitsToKeep out when there are labels.');
  return tf.tidy(() => {
    const [batch, length, width] = states.shape as [number, number, number];
    const kept = Math.min(logitsToKeep || length, length);
    const last = kept < length ? tf.slice(states, [0, length - kept, 0], [-1, -1, -1]) : states;
    const rows = tf.reshape(last, [-1, width]);
    const product = matMul(rows, weight, false, true);
    const logits = tf.reshape(bias ? tf.add(product, bias) : product, [batch, kept, weight.shape[0]]);
    return { logits, ...(labels ? { loss: nextWordLoss(logits, labels, labelSmoothing) } : {}) } as never;
  });
}

/** Cross entropy of logits (B, T, vocabulary) at t with labels (B, T) at t + 1, −100 where not counted; the last position has no label. */
export function nextWordLoss(logits: Tensor, labels: Tensor, labelSmoothing = 0): Tensor {
  const [batch, length, vocabulary] = logits.shape;
  if (labels.shape[0] !== batch || labels.shape[1] !== length) {
    throw new Error(`labels have the shape [${labels.shape}]: expected [${batch}, ${length}], as inputIds.`);
  }
  return tf.tidy(() => {
    const next = tf.concat([tf.slice(labels, [0, 1], [-1, -1]), tf.fill([batch, 1], -100, 'int32')], 1);
    return crossEntropy(tf.reshape(logits, [-1, vocabulary]) as Tensor2D, tf.reshape(next, [-1]) as Tensor1D, -100, labelSmoothing);
  });
}
