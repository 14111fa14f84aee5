/**
 * Byte-pair encoding over Unicode letters, trained and applied as SentencePiece does by default (model_type bpe, nmt_nfkc,
 * character coverage 0.9995, pieces of at most 16 letters of one script, <unk> 0, <s> 1, </s> 2).
 *
 * Source: https://github.com/google/sentencepiece, src/bpe_model_trainer.cc, trainer_interface.cc, bpe_model.cc.
 */
import * as fs from 'node:fs';
import { excerpt } from '../excerpt';
import { writeWhole } from '../whole-file';
import type { CaptionVocabulary } from './caption-vocabulary';
import { PieceTrainer, SPACE_MARK } from './sentence-piece-trainer';

const META = ['<unk>', '<s>', '</s>'];
const MAX_VOCAB_BYTES = 64 * 2 ** 20;

export interface SentencePieceOptions {
  /** Pieces in all, the three special ones and the single letters included. */
  readonly vocabularySize: number;
  /** Refuse a text that does not give that many pieces (default true); false: as many as there are. */
  readonly hardLimit?: boolean;
}

export class SentencePieceBpe implements CaptionVocabulary {
  readonly unkId = 0;
  readonly bosId = 1;
  readonly eosId = 2;
  readonly startId = this.bosId;
  readonly endId = this.eosId;
  /** SentencePiece's default vocabulary has no padding piece. */
  readonly padId = this.eosId;
  private readonly ids: ReadonlyMap<string, number>;

  /** @param pieces by id; of two pieces that could be merged the one with the smaller id is. */
  constructor(readonly pieces: readonly string[]) {
    if (META.some((piece, id) => pieces[id] !== piece)) {
      throw new Error(`The pieces start with ${META.join(', ')}; these with ${excerpt(pieces.slice(0, 3).join(', '))}.`);
    }
    this.ids = new Map(pieces.map((piece, id) => [piece, id]));
    if (this.ids.size !== pieces.length) throw new Error('The pieces hold one twice.');
  }

  /**
   * @param texts one sentence each
   * @throws Error where the texts hold a special piece, or cannot give that many pieces.
   */
  static train(texts: Iterable<string>, { vocabularySize, hardLimit = true }: SentencePieceOptions): SentencePieceBpe {
    if (!Number.isInteger(vocabularySize) || vocabularySize < 1) {
      throw new RangeError(`vocabularySize is ${vocabularySize}; expected a whole number above 0.`);
    }
    const words = new Map<string, number>();
    for (const text of texts) {
      const reserved = [...META, '\u2585'].find((piece) => text.includes(piece));
      if (reserved) throw new Error(`A training text holds '${reserved}', which is reserved: ${text.slice(0, 80)}`);
      // SentencePiece leaves out longer lines, so that one line without spaces cannot take for ever.
      if (Buffer.byteLength(text) > 4192) continue;
      for (const word of splitWords(normalize(text))) words.set(word, (words.get(word) ?? 0) + 1);
    }
    const pieces = new PieceTrainer(words).train(vocabularySize - META.length);
    const size = pieces.length + META.length;
    if (hardLimit && size < vocabularySize) {
      throw new Error(`The texts give ${size} pieces at most; ask for a vocabularySize of ${size} or less, or set hardLimit to false.`);
    }
    return new SentencePieceBpe([...META, ...pieces]);
  }

  get size(): number { return this.pieces.length; }

  word(id: number): string {
    const piece = this.pieces[id];
    if (piece === undefined) throw new RangeError(`Id ${id} is outside the vocabulary of ${this.size} pieces.`);
    return piece;
  }

  /** Ids without <s> and </s>; a run of letters outside the vocabulary becomes one <unk>. */
  encode(text: string): number[] {
    const ids: number[] = [];
    for (const piece of this.encodePieces(text)) {
      const id = this.ids.get(piece) ?? this.unkId;
      if (id !== this.unkId || ids.at(-1) !== this.unkId) ids.push(id);
    }
    return ids;
  }

  private encodePieces(text: string): string[] {
    // A piece never goes on after a space, so words can be encoded one by one.
    return splitWords(normalize(text)).flatMap((word) => {
      const parts = Array.from(word);
      for (;;) {
        let best = -1;
        let bestId = Infinity;
        for (let i = 0; i + 1 < parts.length; i++) {
          const id = this.ids.get(parts[i] + parts[i + 1]);
          if (id !== undefined && id >= META.length && id < bestId) [best, bestId] = [i, id];
        }
        if (best < 0) return parts;
        parts.splice(best, 2, parts[best] + parts[best + 1]);
      }
    });
  }

  /**
   * The text of ids; <s> and </s> are left out, <unk> reads ' ⁇ '.
   *
   * @throws RangeError for an id outside the vocabulary.
   */
  decode(ids: Iterable<number>): string {
    let text = '';
    for (const id of ids) {
      const piece = this.word(id);
      if (id === this.unkId) text += ' \u2047 ';
      else if (id >= META.length) text += text === '' && piece.startsWith(SPACE_MARK) ? piece.slice(1) : piece;
    }
    return text.replaceAll(SPACE_MARK, ' ');
  }

  /** Writes SentencePiece's .vocab file: a piece, a tab and its score a line. */
  save(file: string): void {
    const lines = this.pieces.map((piece, id) => `${piece}\t${id < META.length ? 0 : -(id - META.length)}\n`);
    // The library writes the first score, which is minus zero, so.
    lines[META.length] = lines[META.length]?.replace('\t0\n', '\t-0\n');
    writeWhole(file, lines.join(''));
  }

  /** Reads a .vocab file of a BPE model trained here or by SentencePiece with its default special pieces. */
  static load(file: string): SentencePieceBpe {
    const { size } = fs.statSync(file);
    if (size > MAX_VOCAB_BYTES) throw new Error(`${file}: ${size} bytes; a .vocab file has at most ${MAX_VOCAB_BYTES}.`);
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    const pieces = lines.map((line, i) => {
      const [piece, score, ...more] = line.split('\t');
      if (!piece || more.length > 0 || Number(score) !== (i < META.length ? 0 : META.length - i)) {
        throw new Error(`${file}, line ${i + 1}: expected a piece, a tab and the score ${i < META.length ? 0 : META.length - i}; found ${excerpt(line)}.`);
      }
      return piece;
    });
    try {
      return new SentencePieceBpe(pieces);
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

/** nmt_nfkc: NFKC, control characters left out, every white space a space; then single spaces, and one before the first word. */
function normalize(text: string): string {
  const spaced = text.replace(/[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]/g, '')
    .replace(/[\t\n\f\r\u00A0\u061C\u1680\u2000-\u200C\u200E\u200F\u2028\u2029\u202F\u205F\u2581\u3000\uFEFF\uFFFD]/g, ' ');
  const words = spaced.replace(CLUSTER, compose).split(' ').filter((word) => word !== '');
  return words.map((word) => SPACE_MARK + word).join('');
}

/** A letter with its marks, or the parts of a Hangul syllable; the full-width tilde stays as it is. */
const CLUSTER = /[\u1100-\u1112][\u1161-\u1175][\u11A8-\u11C2]?|[^\p{M}\uFF5E][\p{M}\uFF9E\uFF9F]*|\p{M}/gu;

/**
 * NFKC by a table of sequences, the longest first. Its sequences are the full decompositions of letters, in canonical order, a
 * compatible letter in the place of any: other marks stay apart, in the order they come in.
 */
function compose(cluster: string): string {
  const letters = Array.from(cluster);
  let out = '';
  while (letters.length > 0) {
    let length = letters.length;
    while (length > 1 && !isDecomposition(letters.slice(0, length))) length--;
    out += letters.splice(0, length).join('').normalize('NFKC');
  }
  return out;
}

function isDecomposition(letters: readonly string[]): boolean {
  const parts = letters.map((letter) => letter.normalize('NFKD'));
  if (parts.some((part) => Array.from(part).length !== 1)) return false;
  const composed = parts.join('').normalize('NFC');
  return Array.from(composed).length === 1 && composed.normalize('NFD') === parts.join('');
}

const splitWords = (normalized: string): string[] => normalized.match(/\u2581[^\u2581]*/g) ?? [];
