/**
 * Beam search with the rules of transformers 5 (GenerationMixin._beam_search): 2 · beams candidates a step (more with several end tokens),
 * an end counts only within the best `numBeams` of them, reaching the maximum length ends a text, finished texts compare by
 * log-probability / length^lengthPenalty, the end token counted. With doSample the candidates are drawn instead of ranked.
 */
import { Random, tf, type Tensor } from '../engine';
import { ActiveImages } from './active-images';
import { candidatesOf, idleScore } from './candidates';
import { checkedStep, filled, suppressionMask, type GenerationPlan } from './generation-plan';
import { attentionRows, reorderRows, type GenerationResult, type Hypothesis, type RowState } from './step-decoder';

/** A text on the way; `score` is its accumulated log-probability, less 10⁹ where it must not go on (transformers' way of ranking). */
interface Beam { tokens: number[]; attention: Float32Array[]; score: number; row: number; ended: boolean }

/** Places for `numBeams` results: a place that is not `finished` holds no text yet, or one that could not be completed. */
interface Place { tokens: number[]; attention: Float32Array[]; score: number; logProbability: number; finished: boolean }

interface Search { running: Beam[]; places: Place[]; canImprove: boolean }

const float = Math.fround;

/** The first `count` by score; of equal ones the earlier. */
const best = <T extends { score: number }>(items: T[], count: number): T[] => [...items].sort((a, b) => b.score - a.score).slice(0, count);

/** One image's beams after a step, from its candidates. `length`: tokens generated, with this step's. */
function advance(search: Search, candidates: Beam[], length: number, { options }: GenerationPlan): void {
  const { numBeams, lengthPenalty, earlyStopping } = options;
  const full = earlyStopping === true && search.places.every(({ finished }) => finished);
  const closed = (full ? idleScore : 0) + (search.canImprove ? 0 : idleScore);
  const completed = candidates.map((beam, rank): Place => {
    const finished = beam.ended && rank < numBeams;
    const score = float(float(beam.score / length ** lengthPenalty) + closed + (finished ? 0 : idleScore));
    return { ...beam, logProbability: beam.score, score, finished };
  });
  search.running = best(candidates.map((beam) => (beam.ended ? { ...beam, score: float(beam.score + idleScore) } : beam)), numBeams);
  search.places = best([...search.places, ...completed], numBeams);
}

/** Could a running beam still beat the worst finished one, as far as transformers' heuristic sees? */
function canStillImprove({ running, places }: Search, length: number, { options, maxLength, promptLength }: GenerationPlan): boolean {
  const { earlyStopping, lengthPenalty } = options;
  const horizon = earlyStopping === 'never' && lengthPenalty > 0 ? maxLength - promptLength : length;
  const hope = running[0].score / horizon ** lengthPenalty, worst = Math.min(...places.map(({ score }) => score));
  return places.some(({ finished }) => hope > (finished ? worst : idleScore));
}

/** Nothing that is still to come could change an image's results. */
const isOver = ({ places, canImprove }: Search, { options: { earlyStopping } }: GenerationPlan): boolean =>
  !canImprove || (earlyStopping === true && places.every(({ finished }) => finished));

function resultOf(searches: readonly Search[], plan: GenerationPlan): GenerationResult {
  const { prompts, padToken, endTokens, options: { numReturnSequences } } = plan;
  const returned = searches.map(({ places }) => places.slice(0, numReturnSequences));
  const texts = returned.flatMap((places, image) => places.map(({ tokens }) => [...prompts[image], ...tokens]));
  return {
    // transformers takes padding id 0 for none.
    sequences: filled(texts, padToken || (endTokens[0] ?? -1)),
    sequencesScores: returned.flat().map(({ score }) => score),
    hypotheses: searches.map(({ places }) => places.filter(({ finished, logProbability }) => finished && logProbability > idleScore / 10)
      .map(({ tokens, attention, score, logProbability }): Hypothesis =>
        ({ tokens, logProbability, score, ...(attention.length ? { attention } : {}) }))),
  };
}

/**
 * The best `numBeams` texts of each image; beams of all images are rows of one batch. Yields after each step; breaking it off disposes its
 * tensors.
 */
export function* beamSearch(plan: GenerationPlan): Generator<void, GenerationResult> {
  const { decoder, options, prompts, promptLength, maxLength, endTokens } = plan;
  const { numBeams: beams } = options, { vocabSize } = decoder, images = prompts.length, active = new ActiveImages(plan);
  const random = options.doSample ? new Random(options.seed) : undefined;
  const empty = (image: number, b: number): Beam =>
    ({ tokens: [], attention: [], score: b ? idleScore : 0, row: image * beams + b, ended: false });
  const nothing: Place = { tokens: [], attention: [], score: idleScore, logProbability: idleScore, finished: false };
  const searches = prompts.map((_, image): Search => ({
    running: Array.from({ length: beams }, (_, b) => empty(image, b)),
    places: new Array<Place>(beams).fill(nothing),
    canImprove: true,
  }));
  let ids: Int32Array = Int32Array.from({ length: images * beams }, (_, row) => prompts[Math.floor(row / beams)][promptLength - 1]);
  let state: RowState = decoder.start(images, beams);
  const mask = suppressionMask(plan);
  try {
    for (let length = 1; ; length++) {
      const rows = active.images.flatMap((image) => searches[image].running);
      const texts = rows.map(({ tokens }, row) => [...active.plan.prompts[Math.floor(row / beams)], ...tokens]);
      const step = checkedStep(active.plan.decoder, ids, state);
      tf.dispose(state as Tensor[]);
      state = step.state;
      let found: ReturnType<typeof candidatesOf>, attention: ReturnType<typeof attentionRows>;
      try {
        attention = attentionRows(step);
        found = candidatesOf(active.plan, step.logits, texts, Float32Array.from(rows, ({ score }) => score), mask, random);
      } finally {
        tf.dispose([step.logits, ...(step.attention ? [step.attention] : [])]);
      }
      let allEnded = true;
      for (const [place, image] of active.images.entries()) {
        const search = searches[image];
        const candidates = Array.from({ length: found.count }, (_, c): Beam => {
          const pick = found.picks[place * found.count + c], token = pick % vocabSize, row = place * beams + Math.floor(pick / vocabSize);
          const looked = attention(row), before = rows[row];
          const ended = endTokens.includes(token) || promptLength + length >= maxLength;
          allEnded &&= ended;
          return {
            tokens: [...before.tokens, token], attention: looked ? [...before.attention, looked] : before.attention,
            score: found.scores[place * found.count + c], row, ended,
          };
        });
        advance(search, candidates, length, plan);
        search.canImprove &&= canStillImprove(search, length, plan);
      }
      yield;
      if (allEnded || searches.every((search) => isOver(search, plan))) return resultOf(searches, plan);
      active.leave((image) => isOver(searches[image], plan));
      const next = active.images.flatMap((image) => searches[image].running);
      ids = Int32Array.from(next, ({ tokens }) => tokens[tokens.length - 1]);
      state = reorderRows(state, Int32Array.from(next, ({ row }) => row));
    }
  } finally {
    tf.dispose(state as Tensor[]);
    mask?.dispose();
    active.dispose();
  }
}
