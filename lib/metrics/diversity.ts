/**
 * How varied a captioner's sentences are, whatever their pictures: distinct n-grams (Li et al. 2016, https://arxiv.org/abs/1510.03055),
 * vocabulary, and how much is not a sentence of the training data (Devlin et al. 2015, https://arxiv.org/abs/1505.04467).
 */
import { ptbTokenize } from './ptb-tokenizer';

export interface CaptionDiversity {
  /** Different words by all words, 0 to 1. */
  distinct1: number;
  /** Different pairs of neighbours by all pairs; 0 where there are none. */
  distinct2: number;
  /** Different words. */
  vocabulary: number;
  /** Share of the captions that differ from one another: 1 less repetitions. */
  unique: number;
  /** Share of the captions that no training caption equals, word by word; undefined where no training captions are given. */
  novel?: number;
  /** Words a caption. */
  meanLength: number;
}

export interface DiversityOptions {
  /** What the captioner was trained on. */
  training?: readonly string[];
  /** Default: `ptbTokenize`, as the metrics. */
  tokenize?: (caption: string) => string[];
}

/** @throws RangeError when there is no caption */
export function captionDiversity(captions: readonly string[], options: DiversityOptions = {}): CaptionDiversity {
  const { training, tokenize = ptbTokenize } = options;
  if (captions.length === 0) throw new RangeError('captionDiversity: there are no captions.');
  const sentences = captions.map(tokenize), keyOf = (words: readonly string[]): string => words.join(' ');
  const grams = (n: number) => sentences.flatMap((words) => words.slice(n - 1).map((_, i) => keyOf(words.slice(i, i + n))));
  const [ones, twos] = [grams(1), grams(2)], vocabulary = new Set(ones).size, whole = sentences.map(keyOf);
  const known = training && new Set(training.map((caption) => keyOf(tokenize(caption))));
  return {
    distinct1: ones.length ? vocabulary / ones.length : 0,
    distinct2: twos.length ? new Set(twos).size / twos.length : 0,
    vocabulary,
    unique: new Set(whole).size / whole.length,
    ...(known && { novel: whole.filter((sentence) => !known.has(sentence)).length / whole.length }),
    meanLength: ones.length / captions.length,
  };
}
