/** SentencePiece's training of byte-pair pieces: the most frequent pair first, of equals the shorter, then the first by code points. */
import { scriptOf } from './unicode-script';

/** The mark of a space, before the word it parts. */
export const SPACE_MARK = '\u2581';
const COVERAGE = Math.fround(0.9995);
const MAX_LETTERS = 16;

/** A letter, or a pair of symbols that may become a piece. */
interface PieceSymbol {
  readonly text: string;
  readonly bytes: Buffer;
  readonly letters: number;
  readonly left: PieceSymbol | null;
  readonly right: PieceSymbol | null;
  /** Letters too rare to be a piece take part in no pair. */
  readonly rare: boolean;
  frequency: number;
  /** Whether `frequency` is to be counted again. */
  stale: boolean;
  /** Where it was seen; a place may have gone since. */
  places: { word: number; left: number; right: number }[];
  /** Pairs with this symbol on the left, by the symbol on the right; null where the two may not be one piece. */
  readonly pairs: Map<PieceSymbol, PieceSymbol | null>;
}

export class PieceTrainer {
  /** Each word's symbols; the place of a symbol merged into its left neighbour is null. */
  private readonly symbols: (PieceSymbol | null)[][] = [];
  private readonly counts: number[] = [];
  private readonly letters = new Map<string, PieceSymbol>();
  private readonly required: string[];
  private readonly queue = new Queue();
  private fresh = new Set<PieceSymbol>();

  /** @param words normalized words and how often each was seen */
  constructor(words: ReadonlyMap<string, number>) {
    this.required = requiredLetters(words);
    const kept = new Set(this.required);
    for (const [word, count] of words) {
      this.symbols.push(Array.from(word, (letter) => this.letter(letter, !kept.has(letter))));
      this.counts.push(count);
    }
  }

  /** `count` pieces or, where there are fewer, all: merged ones in the order of merging, then single letters. */
  train(count: number): string[] {
    const merges = count - this.required.length;
    if (merges < 1) {
      throw new Error(`The texts have ${this.required.length} letters; a vocabularySize above ${this.required.length + 3} is needed.`);
    }
    this.symbols.forEach((row, word) => row.forEach((_, i) => { if (i > 0) this.addPair(word, i - 1, i); }));
    const pieces = new Set<string>();
    while (pieces.size < merges) {
      for (const symbol of this.fresh) {
        this.recount(symbol);
        this.queue.push(symbol);
      }
      this.fresh = new Set();
      const best = this.next();
      if (!best) break;
      // The same piece by another way ("aa" + "a", "a" + "aa") is left unmerged.
      if (pieces.has(best.text)) continue;
      pieces.add(best.text);
      this.merge(best);
    }
    return [...pieces, ...this.required];
  }

  private next(): PieceSymbol | null {
    for (let symbol = this.queue.pop(); symbol; symbol = this.queue.pop()) {
      if (!symbol.stale) return symbol;
      this.recount(symbol);
      this.queue.push(symbol);
    }
    return null;
  }

  private letter(text: string, rare: boolean): PieceSymbol {
    let symbol = this.letters.get(text);
    if (!symbol) this.letters.set(text, symbol = makeSymbol(text, null, null, rare));
    return symbol;
  }

  private pair(left: PieceSymbol, right: PieceSymbol): PieceSymbol | null {
    let symbol = left.pairs.get(right);
    if (symbol === undefined) {
      const allowed = !left.rare && !right.rare && isPiece(left.text + right.text);
      left.pairs.set(right, symbol = allowed ? makeSymbol(left.text + right.text, left, right, false) : null);
    }
    return symbol;
  }

  private addPair(word: number, left: number, right: number): void {
    if (left < 0 || right < 0) return;
    const row = this.symbols[word];
    const symbol = this.pair(row[left]!, row[right]!);
    if (!symbol) return;
    symbol.places.push({ word, left, right });
    this.fresh.add(symbol);
  }

  private recount(symbol: PieceSymbol): void {
    symbol.places = symbol.places.filter(({ word, left, right }) => {
      const row = this.symbols[word];
      return row[left] === symbol.left && row[right] === symbol.right;
    });
    symbol.frequency = symbol.places.reduce((sum, { word }) => sum + this.counts[word], 0);
    symbol.stale = false;
  }

  private merge(best: PieceSymbol): void {
    for (const { word, left, right } of best.places) {
      const row = this.symbols[word];
      // "aaa" holds "aa" twice; the second time its left half has gone.
      if (row[left] !== best.left || row[right] !== best.right) continue;
      let previous = left - 1;
      while (previous >= 0 && !row[previous]) previous--;
      let following = right + 1;
      while (following < row.length && !row[following]) following++;
      if (following === row.length) following = -1;
      if (previous >= 0) this.disturb(row[previous]!, row[left]!);
      if (following >= 0) this.disturb(row[right]!, row[following]!);
      row[left] = best;
      row[right] = null;
      this.addPair(word, previous, left);
      this.addPair(word, left, following);
    }
  }

  private disturb(left: PieceSymbol, right: PieceSymbol): void {
    const symbol = left.pairs.get(right);
    if (symbol) symbol.stale = true;
  }
}

function makeSymbol(text: string, left: PieceSymbol | null, right: PieceSymbol | null, rare: boolean): PieceSymbol {
  const letters = Array.from(text).length;
  return { text, bytes: Buffer.from(text), letters, left, right, rare, frequency: 0, stale: true, places: [], pairs: new Map() };
}

/** Letters that cover 99.95 % of the text, most frequent first. */
function requiredLetters(words: ReadonlyMap<string, number>): string[] {
  const counts = new Map<string, number>();
  let all = 0;
  for (const [word, count] of words) {
    for (const letter of word) {
      if (letter === '\0') continue;
      counts.set(letter, (counts.get(letter) ?? 0) + count);
      all += count;
    }
  }
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || a.codePointAt(0)! - b.codePointAt(0)!);
  const kept: string[] = [];
  let covered = 0;
  for (const [letter, count] of sorted) {
    if (Math.fround(covered / all) >= COVERAGE) break;
    covered += count;
    kept.push(letter);
  }
  return kept;
}

/** At most 16 letters, all of one script. */
function isPiece(text: string): boolean {
  const letters = Array.from(text);
  if (letters.length > MAX_LETTERS) return false;
  let script: string | null = null;
  for (const letter of letters) {
    if (letter === SPACE_MARK) continue;
    const own = scriptOf(letter);
    const joined: string = own === 'Hiragana' || own === 'Katakana' || letter === '\u30FC' ? 'Han' : own === 'Inherited' && script ? script : own;
    if (script !== null && joined !== script) return false;
    script = joined;
  }
  return true;
}

/** A heap of symbols with the next piece on top. */
class Queue {
  private readonly heap: { symbol: PieceSymbol; frequency: number }[] = [];

  push(symbol: PieceSymbol): void {
    const { heap } = this;
    heap.push({ symbol, frequency: symbol.frequency });
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!this.before(i, parent)) break;
      [heap[i], heap[parent]] = [heap[parent], heap[i]];
      i = parent;
    }
  }

  pop(): PieceSymbol | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last) return undefined;
    if (heap.length > 0) {
      heap[0] = last;
      for (let i = 0; ;) {
        let first = i;
        for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && this.before(child, first)) first = child;
        if (first === i) break;
        [heap[i], heap[first]] = [heap[first], heap[i]];
        i = first;
      }
    }
    return top.symbol;
  }

  private before(i: number, j: number): boolean {
    const a = this.heap[i];
    const b = this.heap[j];
    if (a.frequency !== b.frequency) return a.frequency > b.frequency;
    if (a.symbol.letters !== b.symbol.letters) return a.symbol.letters < b.symbol.letters;
    return Buffer.compare(a.symbol.bytes, b.symbol.bytes) < 0;
  }
}
