/**
 * Beam search with the rules of Hugging Face transformers 5 (generation/utils.py, GenerationMixin._beam_search): 2·beams candidates
 * a step, an end token counts only within the best `numBeams` of them, reaching the maximum length finishes a beam, finished
 * hypotheses compare by log-probability / length^lengthPenalty (the end token counted).
 */
import { tf, type Tensor, type Tensor2D } from '../engine';
import { generationDefaults, type GenerationIds, type GenerationOptions, type Hypothesis, type RowState, type StepDecoder } from './step-decoder';
import { logProbabilities, suppressionMask } from './suppression';

/** A running or finished sequence as a linked list, so that beams share their beginnings. */
interface Node { token: number; parent: Node | null; attention?: Float32Array; logProbability: number; length: number }

interface Search { running: (Node | null)[]; runningScores: number[]; finished: Hypothesis[]; done: boolean }

function unroll(node: Node, score: number): Hypothesis {
  const tokens: number[] = [], attention: Float32Array[] = [];
  for (let at: Node | null = node; at; at = at.parent) {
    tokens.push(at.token);
    if (at.attention) attention.push(at.attention);
  }
  return { tokens: tokens.reverse(), logProbability: node.logProbability, score, ...(attention.length ? { attention: attention.reverse() } : {}) };
}

/** Could a running beam of this image still beat its worst finished one? */
function canImprove(search: Search, length: number, beams: number, maxNewTokens: number, lengthPenalty: number, earlyStopping: boolean | 'never'): boolean {
  if (search.finished.length < beams) return true;
  if (earlyStopping === true) return false;
  const horizon = earlyStopping === 'never' && lengthPenalty > 0 ? maxNewTokens : length;
  return search.runningScores[0] / horizon ** lengthPenalty > search.finished[search.finished.length - 1].score;
}

/** The best `numBeams` sequences of each image, best first; beams of all images are rows of one batch. */
export function beamSearch(decoder: StepDecoder, images: number, { startId, endId }: GenerationIds, options: GenerationOptions = {}): Hypothesis[][] {
  const { numBeams: beams, maxNewTokens, lengthPenalty, earlyStopping } = { ...generationDefaults, ...options };
  if (!Number.isInteger(beams) || beams < 1) throw new Error(`numBeams is ${beams}: use a whole number of at least 1.`);
  const { vocabSize } = decoder;
  const candidates = Math.min(2 * beams, beams * vocabSize);
  // Only the first beam lives at the start, or all beams would be the same.
  const searches = Array.from({ length: images }, (): Search => ({
    running: new Array(beams).fill(null), runningScores: Array.from({ length: beams }, (_, i) => (i ? -1e9 : 0)), finished: [], done: false,
  }));
  let ids = new Int32Array(images * beams).fill(startId);
  let state: RowState = decoder.start(images, beams);
  const mask = suppressionMask(vocabSize, options.suppressTokens);
  try {
    for (let length = 1; length <= maxNewTokens && searches.some((s) => !s.done); length++) {
      const step = decoder.step(ids, state);
      tf.dispose(state as Tensor[]);
      state = step.state;
      const [values, indices] = tf.tidy(() => {
        const scores = logProbabilities(step.logits, mask);
        const summed = tf.add(scores, tf.tensor2d(searches.flatMap((s) => s.runningScores), [images * beams, 1]));
        const top = tf.topk(tf.reshape(summed, [images, beams * vocabSize]), candidates);
        return [top.values as Tensor2D, top.indices as Tensor2D];
      });
      const scores = values.dataSync(), picks = indices.dataSync();
      const attention = step.attention?.dataSync() as Float32Array | undefined;
      const positions = step.attention?.shape[1] ?? 0;
      tf.dispose([values, indices, step.logits, ...(step.attention ? [step.attention] : [])]);

      ids = new Int32Array(images * beams);
      const rows = new Int32Array(images * beams);
      for (const [image, search] of searches.entries()) {
        const next: Node[] = [];
        for (let c = 0; c < candidates; c++) {
          const score = scores[image * candidates + c], pick = picks[image * candidates + c];
          const row = image * beams + Math.floor(pick / vocabSize), token = pick % vocabSize;
          const node: Node = {
            token, parent: search.running[Math.floor(pick / vocabSize)], logProbability: score, length,
            ...(attention ? { attention: attention.subarray(row * positions, (row + 1) * positions) } : {}),
          };
          const ends = token === endId || length === maxNewTokens;
          if (ends && c < beams && !search.done && Number.isFinite(score) && score > -1e8) {
            search.finished.push(unroll(node, score / length ** lengthPenalty));
            search.finished.sort((a, b) => b.score - a.score);
            search.finished.length = Math.min(search.finished.length, beams);
          }
          if (!ends && next.length < beams) {
            rows[image * beams + next.length] = row;
            ids[image * beams + next.length] = token;
            next.push(node);
          }
        }
        search.running = next;
        search.runningScores = Array.from({ length: beams }, (_, b) => next[b]?.logProbability ?? -1e9);
        for (let b = next.length; b < beams; b++) rows[image * beams + b] = image * beams;
        if (length < maxNewTokens) search.done ||= !canImprove(search, length, beams, maxNewTokens, lengthPenalty, earlyStopping);
      }
      if (length < maxNewTokens) {
        const index = tf.tensor1d(rows, 'int32');
        const reordered = state.map((tensor) => tf.gather(tensor, index));
        tf.dispose(state as Tensor[]);
        index.dispose();
        state = reordered;
      }
    }
  } finally {
    tf.dispose(state as Tensor[]);
    mask?.dispose();
  }
  return searches.map((s) => s.finished);
}
