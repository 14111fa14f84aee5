import * as fs from 'node:fs';
import { z } from 'zod';
import { excerpt } from '../excerpt';
import { writeWhole } from '../whole-file';
import type { CaptionVocabulary } from './caption-vocabulary';

/** A word is a run of letters and digits, with inner hyphens and apostrophes; everything else separates words. */
const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;

const specials = ['<pad>', '<start>', '<end>', '<unk>'] as const;

const fileSchema = z.object({
  version: z.string(),
  model: z.object({ type: z.literal('WordLevel'), vocab: z.record(z.string(), z.number().int().nonnegative()), unk_token: z.string() }),
});

/**
 * Words of the training captions as ids, for the recurrent captioners. Saved as a tokenizer.json of the WordLevel type, which
 * Python's `tokenizers` reads and encodes the same way.
 */
export class WordVocabulary implements CaptionVocabulary {
  readonly padId = 0;
  readonly startId = 1;
  readonly endId = 2;
  readonly unkId = 3;
  private readonly ids: ReadonlyMap<string, number>;

  constructor(readonly words: readonly string[]) {
    if (specials.some((s, i) => words[i] !== s)) {
      const first = words.slice(0, 4).map((word) => excerpt(word)).join(', ');
      throw new Error(`A vocabulary starts with ${specials.join(', ')}; this one with ${first}.`);
    }
    this.ids = new Map(words.map((word, i) => [word, i]));
    if (this.ids.size !== words.length) throw new Error('A vocabulary holds a word twice.');
  }

  /** Words seen at least `minCount` times, most frequent first (ties in alphabetical order). */
  static fromCaptions(captions: Iterable<string>, { minCount = 1 }: { minCount?: number } = {}): WordVocabulary {
    const counts = new Map<string, number>();
    for (const caption of captions) for (const word of splitWords(caption)) counts.set(word, (counts.get(word) ?? 0) + 1);
    const kept = [...counts].filter(([, n]) => n >= minCount).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    return new WordVocabulary([...specials, ...kept.map(([word]) => word)]);
  }

  get size(): number { return this.words.length; }

  /** Ids of the words, without start and end; words outside the vocabulary become <unk>. */
  encode(text: string): number[] { return splitWords(text).map((word) => this.ids.get(word) ?? this.unkId); }

  /** Words up to the end token, joined by spaces; padding and start are dropped. */
  decode(ids: Iterable<number>): string {
    const words: string[] = [];
    for (const id of ids) {
      if (id === this.endId) break;
      if (id !== this.padId && id !== this.startId) words.push(this.word(id));
    }
    return words.join(' ');
  }

  word(id: number): string {
    const word = this.words[id];
    if (word === undefined) throw new Error(`Id ${id} is outside the vocabulary of ${this.size} words.`);
    return word;
  }

  save(file: string): void {
    const json = {
      version: '1.0',
      added_tokens: specials.map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
      normalizer: { type: 'Lowercase' },
      pre_tokenizer: { type: 'Split', pattern: { Regex: WORD.source }, behavior: 'Removed', invert: true },
      post_processor: null,
      decoder: null,
      model: { type: 'WordLevel', vocab: Object.fromEntries(this.words.map((word, i) => [word, i])), unk_token: '<unk>' },
    };
    writeWhole(file, JSON.stringify(json));
  }

  static load(file: string): WordVocabulary {
    let json: unknown;
    try { json = JSON.parse(fs.readFileSync(file, 'utf8')); } catch (error) {
      throw new Error(`${file} cannot be read as a tokenizer (${(error as Error).message}).`);
    }
    const parsed = fileSchema.safeParse(json);
    if (!parsed.success) throw new Error(`${file}: ${parsed.error.issues[0].path.join('.')}: ${parsed.error.issues[0].message}; expected a WordLevel tokenizer.json as saved here.`);
    const words = Object.entries(parsed.data.model.vocab).sort(([, a], [, b]) => a - b);
    const gap = words.findIndex(([, id], i) => id !== i);
    if (gap >= 0) throw new Error(`${file}: model.vocab has no word with id ${gap} (ids run from 0 without gaps).`);
    try { return new WordVocabulary(words.map(([word]) => word)); } catch (error) {
      throw new Error(`${file}: ${(error as Error).message} Expected a tokenizer.json as saved here.`);
    }
  }
}

export const splitWords = (text: string): string[] => text.toLowerCase().match(WORD) ?? [];
