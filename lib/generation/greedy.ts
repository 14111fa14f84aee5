import { tf, type Tensor } from '../engine';
import { generationDefaults, type GenerationIds, type GenerationOptions, type Hypothesis, type RowState, type StepDecoder } from './step-decoder';
import { logProbabilities, suppressionMask } from './suppression';

/** The likeliest token at every step, all images at once; equal to beam search with one beam. */
export function greedySearch(decoder: StepDecoder, images: number, { startId, endId }: GenerationIds, options: GenerationOptions = {}): Hypothesis[] {
  const { maxNewTokens, lengthPenalty } = { ...generationDefaults, ...options };
  const results = Array.from({ length: images }, (): Hypothesis => ({ tokens: [], logProbability: 0, score: 0 }));
  const running = new Set(results.keys());
  let ids = new Int32Array(images).fill(startId);
  let state: RowState = decoder.start(images, 1);
  const mask = suppressionMask(decoder.vocabSize, options.suppressTokens);
  try {
    for (let length = 0; length < maxNewTokens && running.size > 0; length++) {
      const step = decoder.step(ids, state);
      tf.dispose(state as Tensor[]);
      state = step.state;
      const [best, value] = tf.tidy(() => {
        const scores = logProbabilities(step.logits, mask);
        return [tf.argMax(scores, 1), tf.max(scores, 1)];
      });
      const attention = step.attention?.dataSync() as Float32Array | undefined;
      const positions = step.attention?.shape[1] ?? 0;
      ids = Int32Array.from(best.dataSync());
      const chosen = value.dataSync();
      tf.dispose([best, value, step.logits, ...(step.attention ? [step.attention] : [])]);
      for (const row of running) {
        results[row].tokens.push(ids[row]);
        results[row].logProbability += chosen[row];
        if (attention) (results[row].attention ??= []).push(attention.slice(row * positions, (row + 1) * positions));
        if (ids[row] === endId) running.delete(row);
      }
    }
  } finally {
    tf.dispose(state as Tensor[]);
    mask?.dispose();
  }
  for (const result of results) result.score = result.logProbability / result.tokens.length ** lengthPenalty;
  return results;
}
