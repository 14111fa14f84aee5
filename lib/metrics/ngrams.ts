/**
 * Counting of n-grams (n = 1 … 4) over numbers instead of strings, shared by BLEU and CIDEr.
 *
 * Every distinct n-gram of the corpus gets one number. An n-gram is found by the number of its first n-1 words and the number
 * of its last word, so that no string is ever joined or hashed beyond the single word.
 */

import { wordsOf } from './white-space';

/** Longest n-gram counted: BLEU-4 and CIDEr both stop there. */
export const MAX_ORDER = 4;

/** The distinct n-grams of one caption. Order n (1 … 4) occupies the positions `starts[n - 1]` up to `starts[n]`. */
export interface NgramCounts {
  /** Number of words of the caption. */
  words: number;
  /** Corpus-wide n-gram numbers, in order of n and then of first occurrence. */
  ids: Int32Array;
  /** How often the caption holds each of them, parallel to `ids`. */
  counts: Int32Array;
  /** Five positions, from 0 to `ids.length`. */
  starts: [number, number, number, number, number];
}

const WORD_FACTOR = 2 ** 26;

/** Numbers n-grams and counts them caption by caption. One index serves one corpus. */
export class NgramIndex {
  /** Number of distinct n-grams met so far; every id is below it. */
  size = 0;
  private readonly vocabulary = new Map<string, number>();
  // Open addressing; key = (number of the first n-1 words) * 2^26 + number of the last word; 0 marks a free place.
  private keys = new Float64Array(1 << 14);
  private values = new Int32Array(1 << 14);
  private seen = new Int32Array(1 << 13);
  // Of the caption in hand: its words; per position one more than the id of the (n-1)-gram that starts there, 0 for the
  // empty one; its n-grams.
  private wordIds = new Int32Array(64);
  private prefixes = new Int32Array(64);
  private distinct = new Int32Array(64 * MAX_ORDER);

  /** Count the n-grams of one caption. */
  count(tokens: readonly string[]): NgramCounts {
    const words = wordsOf(tokens);
    const length = words.length;
    if (length > this.wordIds.length) {
      this.wordIds = new Int32Array(2 * length);
      this.prefixes = new Int32Array(2 * length);
      this.distinct = new Int32Array(2 * MAX_ORDER * length);
    }
    const { wordIds, prefixes, distinct } = this;
    for (let i = 0; i < length; i++) {
      let id = this.vocabulary.get(words[i]);
      if (id === undefined) this.vocabulary.set(words[i], (id = this.vocabulary.size + 1));
      wordIds[i] = id;
      prefixes[i] = 0;
    }
    const starts: NgramCounts['starts'] = [0, 0, 0, 0, 0];
    let found = 0;
    for (let order = 1; order <= MAX_ORDER; order++) {
      for (let i = 0; i + order <= length; i++) {
        const id = this.find(prefixes[i], wordIds[i + order - 1]);
        prefixes[i] = id + 1;
        if (this.seen[id]++ === 0) distinct[found++] = id;
      }
      starts[order] = found;
    }
    const ids = distinct.slice(0, found);
    const counts = new Int32Array(found);
    for (let k = 0; k < found; k++) {
      counts[k] = this.seen[ids[k]];
      this.seen[ids[k]] = 0;
    }
    return { words: length, ids, counts, starts };
  }

  private find(prefix: number, word: number): number {
    const key = prefix * WORD_FACTOR + word;
    const mask = this.keys.length - 1;
    let place = slot(prefix, word) & mask;
    for (let held = this.keys[place]; held !== 0; held = this.keys[place]) {
      if (held === key) return this.values[place];
      place = (place + 1) & mask;
    }
    const id = this.size++;
    this.keys[place] = key;
    this.values[place] = id;
    if (this.size * 2 > this.keys.length) this.grow();
    return id;
  }

  private grow(): void {
    const { keys, values } = this;
    const capacity = keys.length * 2;
    this.keys = new Float64Array(capacity);
    this.values = new Int32Array(capacity);
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0) continue;
      const prefix = Math.floor(keys[i] / WORD_FACTOR);
      let place = slot(prefix, keys[i] - prefix * WORD_FACTOR) & (capacity - 1);
      while (this.keys[place] !== 0) place = (place + 1) & (capacity - 1);
      this.keys[place] = keys[i];
      this.values[place] = values[i];
    }
    const seen = new Int32Array(capacity / 2 + 1);
    seen.set(this.seen);
    this.seen = seen;
  }
}

function slot(prefix: number, word: number): number {
  let hash = Math.imul(prefix, 0x9e3779b1) ^ Math.imul(word, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

/** Per image, the tokens of each reference. */
export type TokenizedReferences = readonly (readonly (readonly string[])[])[];
/** Per image, the tokens of its candidate. */
export type TokenizedCandidates = readonly (readonly string[])[];

/** All captions of a corpus, counted: one candidate and one or more references an image, in the same order. */
export interface CountedCorpus {
  references: NgramCounts[][];
  candidates: NgramCounts[];
  /** Every n-gram id is below this. */
  size: number;
}

/**
 * Count a corpus once, for BLEU and CIDEr together.
 * @param references per image, the tokens of each reference
 * @param candidates per image, the tokens of the candidate
 * @throws RangeError when the two differ in length, or an image has no reference
 */
export function countCorpus(references: TokenizedReferences, candidates: TokenizedCandidates): CountedCorpus {
  if (references.length !== candidates.length) {
    throw new RangeError(`${references.length} images have references, ${candidates.length} have a candidate: expected as many`);
  }
  const empty = references.findIndex((captions) => captions.length === 0);
  if (empty >= 0) throw new RangeError(`image ${empty} has no reference: expected at least one`);
  const index = new NgramIndex();
  const counted = references.map((captions) => captions.map((tokens) => index.count(tokens)));
  const candidateCounts = candidates.map((tokens) => index.count(tokens));
  return { references: counted, candidates: candidateCounts, size: index.size };
}
