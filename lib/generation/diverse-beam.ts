/**
 * Diverse beam search (Vijayakumar et al. 2018, https://arxiv.org/abs/1610.02424) with the rules of transformers 4 (_group_beam_search and
 * BeamSearchScorer, which version 5 left out of the library): groups of beams search one after the other at each step, and tokens that
 * earlier groups have just chosen lose `diversityPenalty` for each time. Its hypotheses are kept without their end token, and those still
 * open at the maximum length enter at the end.
 */
import { tf, type Tensor } from '../engine';
import { candidateCount, idleScore, largest, logProbabilities, refuseNaN } from './candidates';
import { checkedStep, filled, type GenerationPlan } from './generation-plan';
import { attentionRows, reorderRows, type AttentionRows, type GenerationResult, type Hypothesis, type RowState } from './step-decoder';

interface Beam { tokens: number[]; attention: Float32Array[]; score: number; row: number }

/** One group of one image. */
interface Group { running: Beam[]; finished: Hypothesis[]; worst: number; done: boolean }

/** Keeps the best `size`; of equal scores the later stays. */
function add(group: Group, { tokens, attention, score }: Omit<Beam, 'row'>, generated: number, size: number, lengthPenalty: number): void {
  const hypothesis: Hypothesis = { tokens, logProbability: score, score: score / generated ** lengthPenalty };
  if (attention.length) hypothesis.attention = attention;
  if (group.finished.length >= size && !(hypothesis.score > group.worst)) return;
  group.finished.push(hypothesis);
  if (group.finished.length > size) {
    const scores = group.finished.map((h) => h.score);
    group.finished.splice(scores.indexOf(Math.min(...scores)), 1);
  }
  group.worst = Math.min(...group.finished.map((h) => h.score));
}

function isDone(group: Group, bestCandidate: number, length: number, plan: GenerationPlan, size: number): boolean {
  if (group.finished.length < size) return false;
  const { earlyStopping, lengthPenalty } = plan.options;
  if (earlyStopping === true) return true;
  const horizon = earlyStopping === 'never' && lengthPenalty > 0 ? plan.maxLength - plan.promptLength : length;
  return group.worst >= bestCandidate / horizon ** lengthPenalty;
}

/** The groups' results together, the best first; each ends with the first end token where there is room for it. */
function resultOf(images: readonly Group[][], plan: GenerationPlan): GenerationResult {
  const { prompts, promptLength, maxLength, endTokens, padToken, options } = plan;
  const hypotheses = images.map((groups) => groups.flatMap(({ finished }) => finished).reverse().sort((a, b) => b.score - a.score));
  const returned = hypotheses.map((all) => all.slice(0, options.numReturnSequences));
  const room = Math.min(promptLength + Math.max(...returned.flat().map(({ tokens }) => tokens.length)) + 1, maxLength) - promptLength;
  const ended = (tokens: readonly number[], space = Infinity): number[] =>
    (endTokens.length > 0 && tokens.length < Math.min(space, maxLength - promptLength) ? [...tokens, endTokens[0]] : [...tokens]);
  return {
    sequences: filled(returned.flatMap((all, image) => all.map(({ tokens }) => [...prompts[image], ...ended(tokens, room)])), padToken),
    sequencesScores: returned.flat().map(({ score }) => score),
    hypotheses: hypotheses.map((all) => all.map((hypothesis) => ({ ...hypothesis, tokens: ended(hypothesis.tokens) }))),
  };
}

/** `numBeamGroups` groups of beams an image. Yields after each step; breaking it off disposes its tensors. */
export function* diverseBeamSearch(plan: GenerationPlan): Generator<void, GenerationResult> {
  const { decoder, options, prompts, promptLength, maxLength, endTokens, padToken } = plan;
  const { numBeams: beams, numBeamGroups, diversityPenalty, lengthPenalty } = options;
  const { vocabSize } = decoder, size = beams / numBeamGroups, count = candidateCount(plan, size);
  const advance = (image: number, group: Group, chosen: number[], scores: Float32Array, attention: AttentionRows, length: number): void => {
    const acting = plan.processors.filter((processor) => processor.acts(promptLength + length - 1));
    const values = new Float32Array(size * vocabSize);
    for (const [b, beam] of group.running.entries()) {
      // `scores` stand in the order of the rows that were fed, which is that of the running beams.
      const row = firstRow(image, group) + b;
      const ofRow = values.subarray(b * vocabSize, (b + 1) * vocabSize);
      ofRow.set(scores.subarray(row * vocabSize, (row + 1) * vocabSize));
      for (const token of chosen) ofRow[token] -= diversityPenalty;
      for (const processor of acting) processor.apply([...prompts[image], ...beam.tokens], ofRow, plan.padding[image]);
      for (let token = 0; token < vocabSize; token++) ofRow[token] += beam.score;
    }
    const candidates = largest(values, count);
    refuseNaN(candidates.scores);
    const next: Beam[] = [];
    for (const [rank, pick] of candidates.picks.entries()) {
      if (next.length === size) break;
      const b = Math.floor(pick / vocabSize), token = pick % vocabSize, before = group.running[b], row = firstRow(image, group) + b;
      const looked = attention(row), seen = looked ? [...before.attention, looked] : before.attention, score = candidates.scores[rank];
      if (!endTokens.includes(token)) next.push({ tokens: [...before.tokens, token], attention: seen, score, row });
      else if (rank < size) add(group, { tokens: before.tokens, attention: seen, score }, length, size, lengthPenalty);
    }
    group.running = next;
    group.done = isDone(group, candidates.scores[0], length, plan, size);
    chosen.push(...next.map(({ tokens }) => tokens[tokens.length - 1]));
  };
  const firstRow = (image: number, group: Group): number => image * beams + images[image].indexOf(group) * size;
  const start = (row: number, b: number): Beam => ({ tokens: [], attention: [], score: b ? idleScore : 0, row });
  const images = prompts.map((_, image) => Array.from({ length: numBeamGroups }, (_, g): Group => ({
    running: Array.from({ length: size }, (_, b) => start(image * beams + g * size + b, b)), finished: [], worst: Infinity, done: false,
  })));
  let ids: Int32Array = Int32Array.from({ length: prompts.length * beams }, (_, row) => prompts[Math.floor(row / beams)][promptLength - 1]);
  let state: RowState = decoder.start(prompts.length, beams);
  try {
    for (let length = 1; promptLength + length <= maxLength; length++) {
      const step = checkedStep(decoder, ids, state);
      tf.dispose(state as Tensor[]);
      state = step.state;
      let scores: Float32Array, attention: AttentionRows;
      try {
        attention = attentionRows(step);
        scores = logProbabilities(step.logits);
      } finally {
        tf.dispose([step.logits, ...(step.attention ? [step.attention] : [])]);
      }
      for (const [image, groups] of images.entries()) {
        const chosen: number[] = [];
        for (const group of groups) {
          if (group.done) chosen.push(...new Array<number>(size).fill(padToken)); // as transformers counts them
          else advance(image, group, chosen, scores, attention, length);
        }
      }
      yield;
      if (images.every((groups) => groups.every(({ done }) => done))) break;
      const rows = images.flatMap((groups) => groups.flatMap(({ running }) => running));
      ids = Int32Array.from(rows, ({ tokens }) => tokens[tokens.length - 1]);
      if (promptLength + length < maxLength) state = reorderRows(state, Int32Array.from(rows, ({ row }) => row));
    }
  } finally {
    tf.dispose(state as Tensor[]);
  }
  for (const group of images.flat()) {
    if (!group.done) for (const beam of group.running) add(group, beam, beam.tokens.length, size, lengthPenalty);
  }
  return resultOf(images, plan);
}
