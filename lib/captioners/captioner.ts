import type { GenerationOptions } from '../generation';
import type { ImageSource } from '../images';
import type { Module } from '../nn';
import type { CaptionAttention } from './caption-attention';

/** What a captioner says of one picture. */
export interface Caption {
  text: string;
  /** Token ids, the end token included if it came. */
  tokens: number[];
  /** One string for each token. */
  words: string[];
  /** Natural logarithm of the probability of all tokens. */
  logProbability: number;
  /** logProbability / number of tokens ^ lengthPenalty: what beams are compared by. */
  score: number;
  /** Where the model looked for each token. */
  attention?: CaptionAttention;
}

/** Every captioner of the project: trained here or published, one way to use it. */
export interface Captioner {
  /** What it is made of. */
  readonly networks: readonly Module[];
  /** Best caption of each picture (path, file bytes or pixels). */
  caption(images: readonly ImageSource[], options?: CaptionOptions): Promise<Caption[]>;
  /** Writes everything that `load` needs into a folder. */
  save(folder: string): void;
  dispose(): void;
}

export interface CaptionOptions extends GenerationOptions {
  /** Pictures a batch; more are faster and take more memory. */
  batchSize?: number;
  /** Attention of every layer and head beside the mean, where the captioner has several. */
  outputAttentions?: boolean;
}
