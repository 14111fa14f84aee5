import { CountedCorpus, MAX_ORDER, NgramCounts, TokenizedCandidates, TokenizedReferences, countCorpus } from './ngrams';

/**
 * CIDEr (Vedantam, Zitnick and Parikh, "CIDEr: Consensus-based Image Description Evaluation", CVPR 2015).
 *
 * Two names are in use, and three formulas:
 * - **CIDEr** is what coco-caption (pycocoevalcap's `cider_scorer.py`) prints under that name, and with it nearly every paper.
 *   It clips the candidate's weights at the reference's and lowers the score by a Gaussian (sigma 6) of the difference in
 *   length, as CIDEr-D does; it weighs raw counts, and its "length" is the number of bigrams.
 * - **CIDEr-D** is section 5.4 of the paper, "avoiding gaming": the same clipping and Gaussian, with the length in words. The
 *   authors' `ciderD_scorer.py` (github.com/vrama91/cider, its document frequencies in mode "corpus") counts bigrams and weighs
 *   raw counts as coco-caption does, though the paper's equation 1 divides these by their sum. That quotient would cancel in
 *   a cosine but not in a clipped one; the code is followed, as everybody's numbers come from it.
 * - The paper's unclipped CIDEr (equation 2, on stems) is computed by neither and is not offered.
 *
 * Words and bigrams differ by one in every caption that has a word, and a caption without words scores 0 for want of common
 * n-grams. So on the same tokens with document frequencies from the same references CIDEr and CIDEr-D as defined here are
 * equal, always. Both are kept because tables ask for both; a CIDEr-D published with frequencies from another corpus (as
 * rewards in self-critical training are) is a different number.
 */

/** Width of the Gaussian over the difference in length. */
const SIGMA = 6;
/** The published scores are cosine means times ten. */
const SCALE = 10;

export interface CiderResult {
  /** Mean over the images, 0 … 10. */
  corpus: number;
  /** One score an image, 0 … 10. */
  images: number[];
  /** Set where the number cannot mean anything: see `cider`. */
  warning?: string;
}

export type CiderLength = 'bigrams' | 'words';

/**
 * CIDEr as coco-caption prints it. Document frequencies come from these very references, so that scores of
 * different image sets cannot be compared. With one image every n-gram is in "all" images and has weight 0: the score is 0
 * whatever the caption, and `warning` says so.
 *
 * @param references per image, the tokens of each reference
 * @param candidates per image, the tokens of the candidate
 */
export function cider(references: TokenizedReferences, candidates: TokenizedCandidates): CiderResult {
  return ciderOfCounts(countCorpus(references, candidates), 'bigrams');
}

/** CIDEr-D: as `cider`, with the length in words. */
export function ciderD(references: TokenizedReferences, candidates: TokenizedCandidates): CiderResult {
  return ciderOfCounts(countCorpus(references, candidates), 'words');
}

/** `cider` or `ciderD` on a corpus whose n-grams are counted already. */
export function ciderOfCounts(corpus: CountedCorpus, length: CiderLength): CiderResult {
  const { references, candidates, size } = corpus;
  const idf = inverseDocumentFrequencies(references, size);
  // The candidate's weight of each n-gram; non-zero for the image in hand only.
  const weight = new Float64Array(size);
  const images = candidates.map((candidate, image) => {
    const candidateNorms = norms(candidate, idf);
    for (let k = 0; k < candidate.ids.length; k++) weight[candidate.ids[k]] = candidate.counts[k] * idf[candidate.ids[k]];
    let sum = 0;
    for (const reference of references[image]) {
      const difference = lengthOf(candidate, length) - lengthOf(reference, length);
      sum += clippedCosines(weight, candidateNorms, reference, idf) * Math.exp(-(difference ** 2) / (2 * SIGMA ** 2));
    }
    for (const id of candidate.ids) weight[id] = 0;
    return (SCALE * sum) / MAX_ORDER / references[image].length;
  });
  const mean = images.length === 0 ? 0 : images.reduce((total, score) => total + score, 0) / images.length;
  return { corpus: mean, images, ...warningFor(references) };
}

function warningFor(references: NgramCounts[][]): { warning?: string } {
  if (references.length < 2) {
    return {
      warning:
        `CIDEr weighs words by how few images use them; over ${references.length} image(s) every weight is 0, ` +
        'and so is the score. Score the whole test set at once.',
    };
  }
  if (references.every((captions) => captions.every(({ words }) => words === 0))) {
    return { warning: 'CIDEr is 0: no reference caption has a word left after tokenization.' };
  }
  return {};
}

/** log(number of images) - log(number of images with the n-gram in a reference), the latter at least 1. */
function inverseDocumentFrequencies(references: NgramCounts[][], size: number): Float64Array {
  const documents = new Int32Array(size);
  const lastImage = new Int32Array(size).fill(-1);
  references.forEach((captions, image) => {
    for (const { ids } of captions) {
      for (const id of ids) {
        if (lastImage[id] === image) continue;
        lastImage[id] = image;
        documents[id]++;
      }
    }
  });
  const most = Math.log(references.length);
  const logarithms = Float64Array.from({ length: references.length + 1 }, (_, count) => most - Math.log(Math.max(1, count)));
  return Float64Array.from(documents, (count) => logarithms[count]);
}

function norms({ ids, counts, starts }: NgramCounts, idf: Float64Array): number[] {
  const lengths: number[] = [];
  for (let order = 0; order < MAX_ORDER; order++) {
    let squares = 0;
    for (let k = starts[order]; k < starts[order + 1]; k++) squares += (counts[k] * idf[ids[k]]) ** 2;
    lengths.push(Math.sqrt(squares));
  }
  return lengths;
}

/** Sum over n of the cosine between candidate and reference, the candidate's weights clipped at the reference's. */
function clippedCosines(weight: Float64Array, candidateNorms: number[], reference: NgramCounts, idf: Float64Array): number {
  const { ids, counts, starts } = reference;
  let sum = 0;
  for (let order = 0; order < MAX_ORDER; order++) {
    let product = 0;
    let squares = 0;
    for (let k = starts[order]; k < starts[order + 1]; k++) {
      const own = counts[k] * idf[ids[k]];
      product += Math.min(weight[ids[k]], own) * own;
      squares += own * own;
    }
    if (product !== 0) sum += product / (candidateNorms[order] * Math.sqrt(squares));
  }
  return sum;
}

function lengthOf({ words }: NgramCounts, length: CiderLength): number {
  return length === 'words' ? words : Math.max(0, words - 1);
}
