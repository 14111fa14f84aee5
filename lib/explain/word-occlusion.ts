/** Which words of a caption speak for which source: what a classifier makes of it with each word covered, against the whole. */
import type { CaptionSourceClassifier, ClassifyOptions } from '../classifiers';
import type { CaptionSourceRow } from '../datasets';

export interface WordEffect {
  /** As the tokenizer reads it: lower case where it is uncased, punctuation by itself. */
  word: string;
  /** One a source: by how much the word raises its log-odds. Above 0, the caption reads more like that source's with the word. */
  effects: number[];
}

/**
 * The effect of every word of every generated caption: the log-odds of each source for the whole input, less those with the word's pieces
 * replaced by [MASK]. What the input's length cuts off has no effect and no entry. One pass of the network a word, in batches.
 *
 * @returns for each row its words in order
 */
export async function wordEffects(
  classifier: CaptionSourceClassifier, rows: readonly CaptionSourceRow[], options: ClassifyOptions = {},
): Promise<WordEffect[][]> {
  const { tokenizer, format } = classifier, mask = tokenizer.maskTokenId, field = format.fields.indexOf('generated');
  if (mask === null) throw new Error('Covering words needs a tokenizer with [MASK], such as BERT\'s.');
  if (field < 0) throw new Error('The classifier does not read the generated caption: it has no words to cover.');
  const encoded = rows.map((row) => classifier.encode(row));
  const words = encoded.map(({ inputIds, spans }) => wordsOf(classifier, inputIds, spans[field].from, spans[field].to));
  const covered = (ids: readonly number[], from: number, to: number): number[] => [...ids].fill(mask, from, to);
  const inputs = encoded.flatMap(({ inputIds }, i) => [inputIds, ...words[i].map(({ from, to }) => covered(inputIds, from, to))]);
  const logits = await classifier.logits(inputs, options);
  let at = 0;
  return words.map((list) => {
    const whole = logOdds(logits[at++]);
    return list.map(({ word }) => {
      const without = logOdds(logits[at++]);
      return { word, effects: whole.map((value, c) => value - without[c]) };
    });
  });
}

interface PlacedWord { word: string; from: number; to: number }

/** Pieces put together to words: a piece that begins with ## goes on with the word before it. */
function wordsOf({ tokenizer }: CaptionSourceClassifier, ids: readonly number[], from: number, to: number): PlacedWord[] {
  const words: PlacedWord[] = [];
  for (let at = from; at < to; at++) {
    const piece = tokenizer.idToToken(ids[at]), former = words.at(-1);
    if (former && piece.startsWith('##')) Object.assign(former, { word: former.word + piece.slice(2), to: at + 1 });
    else words.push({ word: piece, from: at, to: at + 1 });
  }
  return words;
}

/** log p / (1 − p) of each class. */
function logOdds(logits: readonly number[]): number[] {
  return logits.map((value, c) => {
    const others = logits.filter((_, k) => k !== c), largest = Math.max(...others);
    return value - largest - Math.log(others.reduce((sum, other) => sum + Math.exp(other - largest), 0));
  });
}

export interface TellingWord {
  word: string;
  /** The source that the word speaks for. */
  source: string;
  /** Mean effect on that source's log-odds, over all places of the word. */
  effect: number;
  /** Places of the word in all captions, */
  count: number;
  /** and in those that are that source's. */
  countInSource: number;
}

/**
 * The words that give a source away, strongest first, from the effects in many captions.
 *
 * @param minCount words at fewer places are left out: their mean is chance. Default 5
 */
export function tellingWords(
  sources: readonly string[], rows: readonly CaptionSourceRow[], effects: readonly (readonly WordEffect[])[], { minCount = 5 } = {},
): TellingWord[] {
  if (rows.length !== effects.length) {
    throw new Error(`There are ${rows.length} captions and the effects of ${effects.length}: expected one each.`);
  }
  const words = new Map<string, { sums: number[]; counts: Map<string, number>; count: number }>();
  for (const [i, { sourceModel }] of rows.entries()) {
    for (const { word, effects: ofWord } of effects[i]) {
      let entry = words.get(word);
      if (!entry) words.set(word, entry = { sums: sources.map(() => 0), counts: new Map(), count: 0 });
      for (const [c, effect] of ofWord.entries()) entry.sums[c] += effect;
      entry.count++;
      entry.counts.set(sourceModel, (entry.counts.get(sourceModel) ?? 0) + 1);
    }
  }
  return [...words].filter(([, { count }]) => count >= minCount).map(([word, { sums, counts, count }]): TellingWord => {
    const strongest = sums.indexOf(Math.max(...sums)), source = sources[strongest];
    return { word, source, effect: sums[strongest] / count, count, countInSource: counts.get(source) ?? 0 };
  }).sort((a, b) => b.effect - a.effect || (a.word < b.word ? -1 : 1));
}
