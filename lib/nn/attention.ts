/**
 * Scaled dot-product attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762) in pieces: models project queries, keys and values
 * by layers under their checkpoint's names and call `attention`. Masks are added to the scores: 0 where a query may look, `maskedScore` elsewhere.
 */
import { matMul, tf, type Tensor } from '../engine';
import type { Dropout } from './dropout';

/** Smallest float32: what transformers adds. Not −∞, which would make a row without any key NaN. */
export const maskedScore = -3.4028234663852886e38;

/** (B, T, heads·size) → (B, heads, T, size) */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, length, width] = x.shape;
  if (width % heads !== 0) throw new Error(`${width} values do not divide into ${heads} heads.`);
  return tf.tidy(() => tf.transpose(tf.reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]));
}

/** (B, heads, T, size) → (B, T, heads·size) */
export function mergeHeads(x: Tensor): Tensor {
  const [batch, heads, length, size] = x.shape;
  return tf.tidy(() => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, length, heads * size]));
}

export interface AttentionOptions {
  /** Added to the scores; broadcasts to (B, heads, queries, keys). */
  mask?: Tensor | null;
  /** Factor of the scores; 1/√size unless given. */
  scale?: number;
  /** Acts on the weights, in training. */
  dropout?: Dropout;
  /** Zeros of the weights' shape, added to them: a score's gradient for the probe is that for the weights (Grad-CAM). */
  probe?: Tensor;
}

/**
 * softmax(scale · q kᵀ + mask) v. With fewer key heads than query heads (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245) each of them
 * serves as many neighbouring queries: these are multiplied with it as one longer list, so that no key or value is copied.
 *
 * @param query (B, heads, queries, size)
 * @param key (B, heads or a divisor of it, keys, size)
 * @param value as key
 * @returns output (B, queries, heads·size) and weights (B, heads, queries, keys), the weights before dropout; both are the caller's
 */
export function attention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): { output: Tensor; weights: Tensor } {
  const { mask, scale, dropout, probe } = options;
  const [batch, heads, queries, size] = query.shape as [number, number, number, number];
  const groups = key.shape[1]!;
  if (heads % groups !== 0) throw new Error(`${groups} key heads cannot share ${heads} query heads evenly.`);
  const grouped = (x: Tensor): Tensor => (groups === heads ? x : tf.reshape(x, [batch, groups, heads / groups * queries, x.shape[3]!]));
  const single = (x: Tensor): Tensor => (groups === heads ? x : tf.reshape(x, [batch, heads, queries, x.shape[3]!]));
  const [output, weights] = tf.tidy(() => {
    // The factor goes to the queries: there are fewer of them than scores.
    const scores = single(matMul(grouped(tf.mul(query, scale ?? 1 / Math.sqrt(size))), key, false, true));
    const softmax = tf.softmax(mask ? tf.add(scores, mask) : scores);
    const weights = probe ? tf.add(softmax, probe) : softmax;
    const dropped = dropout ? dropout.forward(weights) : weights;
    return [mergeHeads(single(matMul(grouped(dropped), value))), weights];
  });
  return { output, weights };
}

export interface MaskOptions {
  /** Query i, counted from the end, sees keys up to its own position. */
  causal?: { queries: number; keys: number };
  /** (B, keys), 1 for a word and 0 for padding. */
  padding?: Tensor | null;
}

/** The additive mask (B or 1, 1, queries or 1, keys) of both conditions together; null where everything may be seen. */
export function attentionMask({ causal, padding }: MaskOptions): Tensor | null {
  if (causal && causal.queries > causal.keys) throw new Error(`${causal.queries} queries cannot be the last of ${causal.keys} keys.`);
  if (padding && causal && padding.shape[1] !== causal.keys) {
    throw new Error(`The attention mask covers ${padding.shape[1]} positions, there are ${causal.keys}: past and present ones count.`);
  }
  // A single new word sees all that came before it.
  const triangular = causal && causal.queries > 1 ? causal : undefined;
  if (!triangular && !padding) return null;
  return tf.tidy(() => {
    const parts: Tensor[] = [];
    if (triangular) {
      const { queries, keys } = triangular;
      const last = tf.reshape(tf.range(keys - queries, keys, 1, 'int32'), [1, 1, queries, 1]);
      parts.push(tf.lessEqual(tf.reshape(tf.range(0, keys, 1, 'int32'), [1, 1, 1, keys]), last));
    }
    if (padding) parts.push(tf.reshape(tf.notEqual(padding, tf.scalar(0, padding.dtype as 'int32')), [padding.shape[0], 1, 1, padding.shape[1]!]));
    const seen = parts.length === 2 ? tf.logicalAnd(parts[0], parts[1]) : parts[0];
    return tf.mul(tf.sub(1, tf.cast(seen, 'float32')), maskedScore);
  });
}
