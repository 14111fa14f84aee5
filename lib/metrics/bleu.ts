import { CountedCorpus, MAX_ORDER, TokenizedCandidates, TokenizedReferences, countCorpus } from './ngrams';

/** BLEU of order 1 to 4, as fractions (0 … 1). */
export type BleuScores = [bleu1: number, bleu2: number, bleu3: number, bleu4: number];

export interface BleuResult {
  /** From the pooled counts of the corpus; not the mean of the images. */
  corpus: BleuScores;
  /** One entry an image. Without smoothing: an image with no common 4-gram has a BLEU-4 of about 0. */
  images: BleuScores[];
}

// coco-caption keeps a fraction finite by these instead of smoothing it.
const NUMERATOR_FLOOR = 1e-15;
const DENOMINATOR_FLOOR = 1e-9;

/**
 * BLEU-1 … BLEU-4 (Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL 2002) with the
 * choices of coco-caption's `bleu_scorer.py`: the reference length closest to the candidate's, the shorter on a tie; clipped
 * counts against the most frequent use in one reference; brevity penalty over the summed lengths; no smoothing.
 *
 * @param references per image, the tokens of each reference
 * @param candidates per image, the tokens of the candidate
 */
export function bleu(references: TokenizedReferences, candidates: TokenizedCandidates): BleuResult {
  return bleuOfCounts(countCorpus(references, candidates));
}

/** What BLEU is made of, for one image or summed over several: an entry an order, 1 to 4, and the lengths in words. */
export interface BleuCounts {
  correct: number[];
  guessed: number[];
  candidate: number;
  /** Length of the reference closest in length. */
  reference: number;
}

/** `bleu` on a corpus whose n-grams are counted already. */
export function bleuOfCounts(corpus: CountedCorpus): BleuResult {
  const images = bleuCounts(corpus);
  const total: BleuCounts = { correct: [0, 0, 0, 0], guessed: [0, 0, 0, 0], candidate: 0, reference: 0 };
  for (const { correct, guessed, candidate, reference } of images) {
    for (let order = 0; order < MAX_ORDER; order++) {
      total.correct[order] += correct[order];
      total.guessed[order] += guessed[order];
    }
    total.candidate += candidate;
    total.reference += reference;
  }
  return { corpus: bleuScores(total), images: images.map(bleuScores) };
}

/** The counts of every image. */
export function bleuCounts(corpus: CountedCorpus): BleuCounts[] {
  const most = new Int32Array(corpus.size);
  return corpus.candidates.map((candidate, image): BleuCounts => {
    const references = corpus.references[image];
    let closest = references[0].words;
    for (const { words, ids, counts } of references) {
      const nearer = Math.abs(words - candidate.words) - Math.abs(closest - candidate.words);
      if (nearer < 0 || (nearer === 0 && words < closest)) closest = words;
      for (let k = 0; k < ids.length; k++) if (counts[k] > most[ids[k]]) most[ids[k]] = counts[k];
    }
    const correct = [0, 0, 0, 0];
    const guessed = [0, 0, 0, 0];
    for (let order = 0; order < MAX_ORDER; order++) {
      guessed[order] = Math.max(0, candidate.words - order);
      for (let k = candidate.starts[order]; k < candidate.starts[order + 1]; k++) {
        correct[order] += Math.min(candidate.counts[k], most[candidate.ids[k]]);
      }
    }
    for (const { ids } of references) for (let k = 0; k < ids.length; k++) most[ids[k]] = 0;
    return { correct, guessed, candidate: candidate.words, reference: closest };
  });
}

/** BLEU from counts. */
export function bleuScores({ correct, guessed, candidate, reference }: BleuCounts): BleuScores {
  const ratio = (candidate + NUMERATOR_FLOOR) / (reference + DENOMINATOR_FLOOR);
  const brevityPenalty = ratio < 1 ? Math.exp(1 - 1 / ratio) : 1;
  let product = 1;
  return correct.map((count, order) => {
    product *= (count + NUMERATOR_FLOOR) / (guessed[order] + DENOMINATOR_FLOOR);
    return product ** (1 / (order + 1)) * brevityPenalty;
  }) as BleuScores;
}
