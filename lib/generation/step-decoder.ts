import type { Tensor } from '../engine';

/** Tensors that change from word to word, first axis = rows; rows of one image stand together (row = image · beams + beam). */
export type RowState = readonly Tensor[];

export interface DecoderStep {
  /** (rows, vocabulary), not normalised */
  logits: Tensor;
  state: RowState;
  /** (rows, positions): where the decoder looked while it chose this word */
  attention?: Tensor;
}

/** What a search asks of a decoder. Constant parts (image features) belong to the implementation. */
export interface StepDecoder {
  readonly vocabSize: number;
  /** State before the first word for `images` · `beams` rows; the search disposes it. */
  start(images: number, beams: number): RowState;
  /** One word further for every row; does not dispose `state`. */
  step(ids: Int32Array, state: RowState): DecoderStep;
}

/** Options under Hugging Face's names (transformers GenerationConfig). */
export interface GenerationOptions {
  numBeams?: number;
  /** Most tokens to generate, the end token included. */
  maxNewTokens?: number;
  /** Hypotheses compare by log-probability / length^lengthPenalty: above 0 favours longer ones. */
  lengthPenalty?: number;
  /** false: stop when no running beam can still win; true: when there are numBeams finished; 'never': search every length. */
  earlyStopping?: boolean | 'never';
  /** Ids that are never generated. */
  suppressTokens?: readonly number[];
}

export interface GenerationIds { startId: number; endId: number }

/** One generated sequence; `tokens` without the start token, with the end token if it came. */
export interface Hypothesis {
  tokens: number[];
  /** Sum of the tokens' log-probabilities. */
  logProbability: number;
  /** logProbability / length^lengthPenalty. */
  score: number;
  /** One weight per image position for each token, where the decoder gives them. */
  attention?: Float32Array[];
}

/** Greedy and beam search share these. */
export const generationDefaults = { numBeams: 1, maxNewTokens: 20, lengthPenalty: 1, earlyStopping: false } as const;
