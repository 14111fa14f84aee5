/**
 * One token a row at each step: the likeliest (greedy search), or one drawn by the probabilities that temperature, top-k and top-p leave.
 * Rules of transformers' GenerationMixin._sample.
 */
import { Random, tf, type Tensor } from '../engine';
import { ActiveImages } from './active-images';
import { refuseNaN } from './candidates';
import { actingProcessors, checkedStep, filled, suppressionMask, type GenerationPlan } from './generation-plan';
import { attentionRows, reorderRows, type DecoderStep, type GenerationResult, type Hypothesis, type RowState } from './step-decoder';

/** Tokens of one step, a row each; null for a row that has ended. */
export type StepTokens = (number | null)[];

/** Chosen tokens and the model's log-probabilities of them. */
interface Choice { tokens: Int32Array; logProbabilities: Float32Array }

/** The likeliest tokens, found by TensorFlow: only ids and their log-probabilities come to JavaScript. */
function likeliest(logits: Tensor, mask: Tensor | undefined): Choice {
  const [best, value] = tf.tidy(() => {
    const allowed = mask ? tf.add(logits, mask) : logits;
    return [tf.argMax(allowed, 1), tf.sub(tf.max(allowed, 1), tf.logSumExp(logits, 1))];
  });
  const choice = { tokens: best.dataSync() as Int32Array, logProbabilities: value.dataSync() as Float32Array };
  tf.dispose([best, value]);
  refuseNaN(choice.logProbabilities);
  return choice;
}

function argMax(scores: Float32Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i;
  return best;
}

/** A token by its softmax probability. */
function draw(scores: Float32Array, random: Random): number {
  const best = scores[argMax(scores)];
  let total = 0;
  for (const score of scores) total += Math.exp(score - best);
  let left = random.uniform() * total, last = 0;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] === -Infinity) continue;
    last = i;
    left -= Math.exp(scores[i] - best);
    if (left < 0) break;
  }
  return last;
}

/** Tokens by processed logits: `random` draws them, without it the likeliest are taken. */
function processed(plan: GenerationPlan, logits: Tensor, texts: readonly (readonly number[])[], random: Random | undefined): Choice {
  const { decoder: { vocabSize }, padding, prompts } = plan;
  const norm = tf.logSumExp(logits, 1);
  const all = logits.dataSync() as Float32Array, norms = norm.dataSync();
  norm.dispose();
  refuseNaN(norms as Float32Array);
  const tokens = new Int32Array(texts.length), logProbabilities = new Float32Array(texts.length);
  const acting = plan.processors.filter((processor) => processor.acts(texts[0].length));
  const perImage = texts.length / prompts.length;
  for (const [row, text] of texts.entries()) {
    const scores = all.slice(row * vocabSize, (row + 1) * vocabSize);
    for (const processor of acting) processor.apply(text, scores, padding[Math.floor(row / perImage)]);
    tokens[row] = random ? draw(scores, random) : argMax(scores);
    if (scores[tokens[row]] === -Infinity) {
      throw new Error(`After ${text.length} tokens no token is allowed any more: suppressTokens, noRepeatNgramSize … forbid all.`);
    }
    logProbabilities[row] = all[row * vocabSize + tokens[row]] - norms[row];
  }
  return { tokens, logProbabilities };
}

/** Yields each step's tokens; the result comes at the end. Breaking it off disposes its tensors. */
export function* sample(plan: GenerationPlan): Generator<StepTokens, GenerationResult> {
  const { decoder, options, prompts, promptLength, maxLength, endTokens } = plan;
  const { doSample, numReturnSequences: perImage, lengthPenalty } = options;
  const random = doSample ? new Random(options.seed) : undefined;
  const results = Array.from({ length: prompts.length * perImage }, (): Hypothesis => ({ tokens: [], logProbability: 0, score: 0 }));
  const texts = results.map((_, row) => [...prompts[Math.floor(row / perImage)]]);
  const running = new Set(results.keys()), active = new ActiveImages(plan);
  const rowsOf = (images: readonly number[]): number[] => images.flatMap((image) => Array.from({ length: perImage }, (_, i) => image * perImage + i));
  /** Which result each of the decoder's rows is. */
  let rows = rowsOf(active.images);
  let ids: Int32Array = Int32Array.from(texts, (text) => text[promptLength - 1]);
  let state: RowState = decoder.start(prompts.length, perImage);
  const mask = suppressionMask(plan);
  try {
    for (let length = promptLength; length < maxLength && running.size > 0; length++) {
      const step: DecoderStep = checkedStep(active.plan.decoder, ids, state);
      tf.dispose(state as Tensor[]);
      state = step.state;
      let choice: Choice, attention: ReturnType<typeof attentionRows>;
      try {
        attention = attentionRows(step);
        const inTensorFlow = !random && actingProcessors(plan, length).length === 0;
        choice = inTensorFlow ? likeliest(step.logits, mask) : processed(active.plan, step.logits, rows.map((row) => texts[row]), random);
      } finally {
        tf.dispose([step.logits, ...(step.attention ? [step.attention] : [])]);
      }
      ids = choice.tokens;
      const tokens: StepTokens = results.map(() => null);
      for (const [at, token] of ids.entries()) {
        const row = rows[at];
        texts[row].push(token);
        if (!running.has(row)) continue;
        tokens[row] = token;
        results[row].tokens.push(token);
        results[row].logProbability += choice.logProbabilities[at];
        const looked = attention(at);
        if (looked) (results[row].attention ??= []).push(looked);
        if (endTokens.includes(token)) running.delete(row);
      }
      // Drawing goes through all rows, so that what is drawn does not depend on which of them have left.
      const staying = random ? undefined : active.leave((image) => rowsOf([image]).every((row) => !running.has(row)));
      if (staying) {
        const places = Int32Array.from(rowsOf(staying));
        state = reorderRows(state, places);
        ids = places.map((place) => ids[place]);
        rows = rowsOf(active.images);
      }
      yield tokens;
    }
  } finally {
    tf.dispose(state as Tensor[]);
    mask?.dispose();
    active.dispose();
  }
  for (const result of results) result.score = result.logProbability / result.tokens.length ** lengthPenalty;
  return {
    sequences: filled(results.map(({ tokens }, row) => [...prompts[Math.floor(row / perImage)], ...tokens]), plan.padToken),
    sequencesScores: results.map(({ score }) => score),
    hypotheses: prompts.map((_, image) => results.slice(image * perImage, (image + 1) * perImage)),
  };
}
