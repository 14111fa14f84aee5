import { tf, type Tensor } from '../engine';

/** Tensors that change from token to token, first axis = rows; rows of one image stand together (row = image · beams + beam). */
export type RowState = readonly Tensor[];

export interface DecoderStep {
  /** (rows, vocabulary), not normalised */
  logits: Tensor;
  state: RowState;
  /** (rows, …): where the decoder looked while it chose this token; any number of axes, flattened row by row */
  attention?: Tensor;
}

/**
 * What a search asks of a decoder. It is made for one prompt (and its images); constant parts (image features, keys of cross attention,
 * the prompt's padding mask) belong to the implementation, which can tell the image of a row by row / beams.
 */
export interface StepDecoder {
  readonly vocabSize: number;
  /** Most tokens of a text, prompt included, that the decoder can read; endless unless given. */
  readonly maxPositions?: number;
  /** Axes of a step's attention without the row, such as [layers, heads, positions]; −1 for one that grows with the text. */
  readonly attentionShape?: readonly number[];
  /**
   * State after all of the prompt's tokens but the last, for `images` · `beams` rows: work done once an image, then repeated
   * (`repeatRows`). The search feeds the last prompt token first, and disposes the state.
   */
  start(images: number, beams: number): RowState;
  /** One token further for every row; does not dispose `state`. */
  step(ids: Int32Array, state: RowState): DecoderStep;
  /**
   * The same for these of the images alone, for a search that goes on without the others; it stays valid when this one is disposed. A decoder
   * without it keeps the rows of texts that have ended.
   */
  select?(images: Int32Array): StepDecoder & { dispose(): void };
}

/** What generation starts from: one row an image or text. */
export interface Prompt {
  /** Token ids, at least one, rows of equal length; shorter texts are padded on the left. */
  promptIds: readonly (readonly number[])[];
  /**
   * Padding tokens at the left of each row. The repetition penalty passes over them; the n-gram block does not. Leave it out for a
   * model with an encoder, as transformers does.
   */
  padding?: readonly number[];
  /** Ends a text; null where none does. */
  eosTokenId: number | readonly number[] | null;
  /** Fills texts up to the longest one; null: the first end token. */
  padTokenId: number | null;
}

/** One generated sequence; `tokens` without the prompt, with the end token if it came. */
export interface Hypothesis {
  tokens: number[];
  /**
   * Sum of the tokens' log-probabilities: with beams as the logits processors left them, otherwise the model's own (before processors,
   * temperature, top-k and top-p).
   */
  logProbability: number;
  /** logProbability / length^lengthPenalty. */
  score: number;
  /** One vector for each token, flattened from the decoder's `attentionShape`, where the decoder gives them. */
  attention?: Float32Array[];
}

export interface GenerationResult {
  /**
   * As transformers' generate returns them: prompt, tokens, then filling up to the longest; `numReturnSequences` rows an image, the best
   * first. Beams are filled with the end token where the padding id is 0, all else with the padding id.
   */
  sequences: number[][];
  /** `score` of each row of `sequences`. */
  sequencesScores: number[];
  /** All that was found for each image: with beams the best first, and more than `sequences` has of them; drawn ones in their order. */
  hypotheses: Hypothesis[][];
  /** Axes of the hypotheses' attention vectors, where there are any. */
  attentionShape?: readonly number[];
}

/** Every row `times` times in a row: from a row an image to a row a beam. The caller disposes it. */
export function repeatRows(tensor: Tensor, times: number): Tensor {
  if (times === 1) return tf.clone(tensor);
  return tf.tidy(() => {
    const [rows, ...rest] = tensor.shape;
    return tf.reshape(tf.tile(tf.expandDims(tensor, 1), [1, times, ...rest.map(() => 1)]), [rows * times, ...rest]);
  });
}

/** The state of these rows, in this order; the former state is disposed. */
export function reorderRows(state: RowState, rows: Int32Array): RowState {
  if (state.every(({ shape }) => shape[0] === rows.length) && rows.every((row, i) => row === i)) return state;
  const index = tf.tensor1d(rows, 'int32');
  try { return state.map((tensor) => tf.gather(tensor, index)); } finally { tf.dispose([index, ...state]); }
}

export type AttentionRows = (row: number) => Float32Array | undefined;

/** Each row's attention as a flat vector; none where the step has none. */
export function attentionRows({ attention }: DecoderStep): AttentionRows {
  if (!attention) return () => undefined;
  const values = attention.dataSync() as Float32Array, width = attention.size / attention.shape[0];
  return (row) => values.subarray(row * width, (row + 1) * width);
}
