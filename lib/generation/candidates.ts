/** The best continuations of beams: what both beam searches choose from. Sums are rounded to float32 as PyTorch's are. */
import { Random, tf, type Tensor, type Tensor2D } from '../engine';
import { actingProcessors, type GenerationPlan } from './generation-plan';

/** `count` continuations for each image, flat: accumulated scores, and beam · vocabulary + token. */
export interface Candidates { count: number; scores: Float32Array; picks: Int32Array }

/** transformers starts every beam but the first (of a group) here, so that not all are the same. */
export const idleScore = -1e9;

/** How many continuations hold enough that do not end, however many end. */
export const candidateCount = ({ endTokens, decoder: { vocabSize } }: GenerationPlan, beams: number): number =>
  Math.min(Math.max(2, 1 + endTokens.length) * beams, beams * vocabSize);

/** The `count` largest of `values`, descending; of equal ones the first. */
export function largest(values: Float32Array, count: number): { scores: Float32Array; picks: Int32Array } {
  const scores = new Float32Array(count).fill(-Infinity), picks = new Int32Array(count).fill(-1);
  for (let i = 0, found = 0; i < values.length; i++) {
    const value = values[i];
    if (found === count && !(value > scores[count - 1])) continue;
    let at = Math.min(found, count - 1);
    for (; at > 0 && scores[at - 1] < value; at--) {
      scores[at] = scores[at - 1];
      picks[at] = picks[at - 1];
    }
    scores[at] = value;
    picks[at] = i;
    if (found < count) found++;
  }
  return { scores, picks };
}

/** `count` of `values` drawn without replacement by their softmax, in the order drawn: the largest of the values with Gumbel noise. */
function drawn(values: Float32Array, count: number, random: Random): { scores: Float32Array; picks: Int32Array } {
  const noisy = values.map((value) => (value === -Infinity ? value : value - Math.log(-Math.log(random.uniform() || Number.MIN_VALUE))));
  const { picks } = largest(noisy, count);
  return { picks, scores: Float32Array.from(picks, (pick) => values[pick]) };
}

/** Log-probabilities (rows · vocabulary) in JavaScript. */
export function logProbabilities(logits: Tensor): Float32Array {
  const normalised = tf.logSoftmax(logits);
  try { return normalised.dataSync() as Float32Array; } finally { normalised.dispose(); }
}

/** @throws where a decoder's numbers went wrong: a search among NaN finds anything */
export function refuseNaN(scores: Float32Array): void {
  if (scores.some(Number.isNaN)) throw new Error('The decoder\'s logits hold NaN: check the weights and the inputs.');
}

/**
 * The best (or drawn) continuations of each image's beams.
 *
 * @param texts of all rows, prompt included
 * @param accumulated score of each row so far
 */
export function candidatesOf(plan: GenerationPlan, logits: Tensor, texts: readonly (readonly number[])[], accumulated: Float32Array,
  mask: Tensor | undefined, random: Random | undefined): Candidates {
  const { decoder: { vocabSize }, padding, prompts } = plan;
  const beams = texts.length / prompts.length, count = candidateCount(plan, beams);
  const acting = actingProcessors(plan, texts[0].length);
  let scores: Float32Array, picks: Int32Array;
  if (!random && acting.length === 0) {
    const [values, indices] = tf.tidy(() => {
      const normalised = tf.logSoftmax(logits);
      const summed = tf.add(mask ? tf.add(normalised, mask) : normalised, tf.tensor2d(accumulated, [texts.length, 1]));
      const top = tf.topk(tf.reshape(summed, [prompts.length, beams * vocabSize]), count);
      return [top.values as Tensor2D, top.indices as Tensor2D];
    });
    scores = values.dataSync() as Float32Array;
    picks = indices.dataSync() as Int32Array;
    tf.dispose([values, indices]);
  } else {
    const all = logProbabilities(logits);
    for (const [row, text] of texts.entries()) {
      const ofRow = all.subarray(row * vocabSize, (row + 1) * vocabSize);
      for (const processor of acting) processor.apply(text, ofRow, padding[Math.floor(row / beams)]);
      for (let token = 0; token < vocabSize; token++) ofRow[token] += accumulated[row];
    }
    scores = new Float32Array(prompts.length * count);
    picks = new Int32Array(prompts.length * count);
    for (let image = 0; image < prompts.length; image++) {
      const values = all.subarray(image * beams * vocabSize, (image + 1) * beams * vocabSize);
      const best = random ? drawn(values, count, random) : largest(values, count);
      scores.set(best.scores, image * count);
      picks.set(best.picks, image * count);
    }
  }
  refuseNaN(scores);
  return { count, scores, picks };
}
