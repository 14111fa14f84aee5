/**
 * Rules on the scores of the next token, each with the semantics of its namesake in transformers (generation/logits_process.py). Scores are
 * logits (greedy, sampling) or log-probabilities (beams), one row of the vocabulary at a time, changed in place.
 */
import type { Prompt } from './step-decoder';
import type { CheckedOptions } from './generation-options';

export interface LogitsProcessor {
  /** Whether it changes anything for texts of this many tokens, prompt included: scores are fetched from TensorFlow only then. */
  acts(length: number): boolean;
  /**
   * @param ids the text so far, prompt and padding included
   * @param scores of every token of the vocabulary
   * @param padding how many of the ids are padding at the left
   */
  apply(ids: readonly number[], scores: Float32Array, padding: number): void;
}

function forbid(tokens: Iterable<number>, scores: Float32Array): void {
  for (const token of tokens) if (token < scores.length) scores[token] = -Infinity;
}

/**
 * Tokens that have occurred become less likely: their score is divided by the penalty, or multiplied if it is negative (Keskar et al. 2019,
 * https://arxiv.org/abs/1909.05858).
 */
export const repetitionPenalty = (penalty: number): LogitsProcessor => ({
  acts: () => true,
  apply: (ids, scores, padding) => {
    for (const token of new Set(ids.slice(padding))) {
      if (token < scores.length) scores[token] = scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty;
    }
  },
});

/** No sequence of `size` tokens occurs twice. Looks at the prompt and its padding, too. */
export const noRepeatNgram = (size: number): LogitsProcessor => ({
  acts: (length) => length >= size,
  apply: (ids, scores) => {
    const last = ids.length - size + 1;
    for (let from = 0; from < last; from++) {
      let same = true;
      for (let i = 0; i < size - 1 && same; i++) same = ids[from + i] === ids[last + i];
      if (same) forbid([ids[from + size - 1]], scores);
    }
  },
});

/** No end token in texts below `length` tokens, the prompt counted. */
export const minimumLength = (length: number, endTokens: readonly number[]): LogitsProcessor => ({
  acts: (now) => now < length,
  apply: (_, scores) => forbid(endTokens, scores),
});

/** These tokens and no others in a text of `length` tokens; their score is 0. */
export const forcedTokens = (length: number, tokens: readonly number[]): LogitsProcessor => ({
  acts: (now) => now === length,
  apply: (_, scores) => {
    scores.fill(-Infinity);
    for (const token of tokens) scores[token] = 0;
  },
});

export const suppressTokens = (tokens: readonly number[]): LogitsProcessor => ({
  acts: () => true,
  apply: (_, scores) => forbid(tokens, scores),
});

export const temperature = (value: number): LogitsProcessor => ({
  acts: () => true,
  apply: (_, scores) => { for (let i = 0; i < scores.length; i++) scores[i] /= value; },
});

/** Only scores at least as high as the k-th highest; `keep` of them stay in any case. */
export const topK = (k: number, keep = 1): LogitsProcessor => ({
  acts: () => true,
  apply: (_, scores) => {
    const count = Math.max(k, keep);
    if (count >= scores.length) return;
    // The k best in ascending order: what comes may push the first one out.
    const best = Float32Array.from(scores.subarray(0, count)).sort();
    for (let i = count; i < scores.length; i++) {
      const score = scores[i];
      if (!(score > best[0])) continue;
      let at = 0;
      while (at + 1 < count && best[at + 1] < score) { best[at] = best[at + 1]; at++; }
      best[at] = score;
    }
    for (let i = 0; i < scores.length; i++) if (scores[i] < best[0]) scores[i] = -Infinity;
  },
});

/** The fewest likely tokens whose probabilities reach p (Holtzman et al. 2020, https://arxiv.org/abs/1904.09751), but at least `keep`. */
export const topP = (p: number, keep = 1): LogitsProcessor => ({
  acts: () => true,
  apply: (_, scores) => {
    const order = Array.from(scores.keys()).filter((token) => scores[token] > -Infinity).sort((a, b) => scores[a] - scores[b]);
    const best = scores[order[order.length - 1]];
    const weights = order.map((token) => Math.exp(scores[token] - best));
    const limit = (1 - p) * weights.reduce((sum, weight) => sum + weight, 0);
    let below = 0;
    for (let i = 0; i < order.length - keep; i++) {
      below += weights[i];
      if (below > limit) break;
      scores[order[i]] = -Infinity;
    }
  },
});

const list = (ids: number | readonly number[] | null | undefined): readonly number[] => (typeof ids === 'number' ? [ids] : ids ?? []);

/** The end tokens of a prompt, none for null. */
export const endTokensOf = ({ eosTokenId }: Pick<Prompt, 'eosTokenId'>): readonly number[] => list(eosTokenId);

/** The processors of these options in transformers' order (GenerationMixin._get_logits_processor), those of sampling last. */
export function logitsProcessors(options: CheckedOptions, promptLength: number, maxLength: number,
  endTokens: readonly number[]): LogitsProcessor[] {
  const { minLength = 0, minNewTokens = 0, forcedBosTokenId, forcedEosTokenId } = options;
  const keep = options.numBeams > 1 ? endTokens.length + 1 : 1;
  return [
    ...(options.repetitionPenalty !== 1 ? [repetitionPenalty(options.repetitionPenalty)] : []),
    ...(options.noRepeatNgramSize > 0 ? [noRepeatNgram(options.noRepeatNgramSize)] : []),
    ...(endTokens.length && minLength > 0 ? [minimumLength(minLength, endTokens)] : []),
    ...(endTokens.length && minNewTokens > 0 ? [minimumLength(promptLength + minNewTokens, endTokens)] : []),
    ...(forcedBosTokenId !== undefined ? [forcedTokens(1, [forcedBosTokenId])] : []),
    ...(forcedEosTokenId !== undefined ? [forcedTokens(maxLength - 1, list(forcedEosTokenId))] : []),
    ...(options.suppressTokens.length ? [suppressTokens(options.suppressTokens)] : []),
    ...(options.doSample && options.temperature !== 1 ? [temperature(options.temperature)] : []),
    ...(options.doSample && options.topK > 0 ? [topK(options.topK, keep)] : []),
    ...(options.doSample && options.topP < 1 ? [topP(options.topP, keep)] : []),
  ];
}
