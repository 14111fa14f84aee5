/** What occlusion does to the scores of captions: tables and plot of report 000, Part B, with intervals from a bootstrap over pictures. */
import { basename } from 'node:path';
import type { CaptionDataset, CaptionSourceRow } from '../datasets';
import {
  CaptionStatistics, PairedBootstrap, ptbTokenize, WordNet, type BootstrapOptions, type CaptionMetric, type Difference, type Interval,
} from '../metrics';
import type { Series } from '../notebook/charts';

/** The metrics of the tables and the names they have there. METEOR is NLTK's. */
export const OCCLUSION_METRICS = {
  Bleu_4: 'BLEU-4', METEOR: 'METEOR', ROUGE_L: 'ROUGE-L', CIDEr: 'CIDEr',
} as const satisfies Partial<Record<CaptionMetric, string>>;
export type OcclusionMetric = keyof typeof OCCLUSION_METRICS;
const METRICS = Object.entries(OCCLUSION_METRICS) as [OcclusionMetric, string][];

/** A row of a table for `table` of the notebook room. */
export type ScoreRow = Record<string, string | number>;

/** Scores of every model at every level. Resamples draw the same pictures for all of them, so differences are paired. */
export class OcclusionScores {
  /** In the order in which the rows have them. */
  readonly models: readonly string[];
  /** Ascending; the first is the one that changes refer to. */
  readonly levels: readonly number[];
  /** Number of pictures. */
  readonly images: number;
  readonly bootstrap: PairedBootstrap;

  /**
   * @param rows one for each picture, model and level, as `sweepOcclusion` makes and `readCaptionSources` reads them
   * @param dataset has all captions of the pictures, which are what the generated ones are scored against
   * @throws Error when a row is missing or twice, there is no level 0, or the data set has no such picture
   */
  constructor(rows: readonly CaptionSourceRow[], dataset: CaptionDataset, options: BootstrapOptions = {}) {
    this.models = [...new Set(rows.map((row) => row.sourceModel))];
    this.levels = [...new Set(rows.map((row) => row.occlusionLevel))].sort((a, b) => a - b);
    if (this.levels[0] !== 0) {
      throw new Error(`The rows have levels ${this.levels.join(', ') || 'none'}; expected 0 among them, to compare with.`);
    }
    const captions = new Map(dataset.records.map((record) => [basename(record.image), record.captions]));
    const files = [...new Set(rows.map((row) => row.imageFilename))];
    this.images = files.length;
    const references = Object.fromEntries(files.map((file) => {
      const found = captions.get(file);
      if (!found) throw new Error(`${dataset.name} has no picture ${file}, of which the rows have captions.`);
      return [file, found];
    }));
    const key = (file: string, model: string, level: number) => JSON.stringify([file, model, level]);
    const generated = new Map(rows.map((row) => [key(row.imageFilename, row.sourceModel, row.occlusionLevel), row.generatedCaption]));
    if (generated.size < rows.length) throw new Error(`${rows.length - generated.size} rows have the picture, model and level of another.`);

    // Every system has the same references: their words are split, and WordNet read, once.
    const wordnet = new WordNet();
    const split = new Map<string, string[]>();
    const tokenize = (caption: string) => {
      let tokens = split.get(caption);
      if (!tokens) split.set(caption, (tokens = ptbTokenize(caption)));
      return tokens;
    };
    const systems = this.models.flatMap((model) => this.levels.map((level) => {
      const candidates = Object.fromEntries(files.map((file) => {
        const caption = generated.get(key(file, model, level));
        if (caption === undefined) throw new Error(`The rows have no caption of ${model} for ${file} at ${level} %.`);
        return [file, caption];
      }));
      return [systemName(model, level), new CaptionStatistics(references, candidates, { tokenize, wordnet })] as const;
    }));
    this.bootstrap = new PairedBootstrap(Object.fromEntries(systems), options);
  }

  score(model: string, level: number, metric: OcclusionMetric): Interval {
    return this.bootstrap.interval(systemName(model, level), metric);
  }

  /** The score at a level less that at 0 %: below zero where occlusion hurts. */
  change(model: string, level: number, metric: OcclusionMetric): Difference {
    return this.bootstrap.difference(systemName(model, level), systemName(model, 0), metric);
  }

  /** The score of one model less that of another at the same level. */
  gap(model: string, other: string, level: number, metric: OcclusionMetric): Difference {
    return this.bootstrap.difference(systemName(model, level), systemName(other, level), metric);
  }

  /** A row a model and level: the report's lists of scores. `intervals` adds the ends of each interval. */
  scoreTable({ intervals = false } = {}): ScoreRow[] {
    return this.rows(this.levels, (model, level, metric) => {
      const { value, low, high } = this.score(model, level, metric);
      return intervals ? `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]` : value;
    });
  }

  /** A row a model and level but 0: the report's tables of changes, with intervals; a star where the interval leaves out zero. */
  changeTable(): ScoreRow[] {
    return this.rows(this.levels.slice(1), (model, level, metric) => describe(this.change(model, level, metric)));
  }

  /** By how many percent of the score at 0 % each score has changed: the figures of the report's section 5.2. */
  relativeChangeTable(): ScoreRow[] {
    return this.rows(this.levels.slice(1), (model, level, metric) => {
      const before = this.score(model, 0, metric).value;
      return before === 0 ? 'n/a' : `${signed((100 * this.change(model, level, metric).value) / before, 1)} %`;
    });
  }

  /** A row a level: one model's scores less another's, with intervals; a star where the interval leaves out zero. */
  gapTable(model: string, other: string): ScoreRow[] {
    return this.levels.map((level) => ({
      'occlusion (%)': level,
      ...Object.fromEntries(METRICS.map(([metric, name]) => [name, describe(this.gap(model, other, level, metric))])),
    }));
  }

  /** A curve a model over the levels, with its interval as a band: for `lineChart`. */
  curves(metric: OcclusionMetric): Series[] {
    return this.models.map((model) => {
      const scores = this.levels.map((level) => this.score(model, level, metric));
      const band = { low: scores.map(({ low }) => low), high: scores.map(({ high }) => high) };
      return { name: model, x: this.levels, y: scores.map(({ value }) => value), band };
    });
  }

  private rows(levels: readonly number[], cell: (model: string, level: number, metric: OcclusionMetric) => string | number): ScoreRow[] {
    return this.models.flatMap((model) => levels.map((level) => ({
      model, 'occlusion (%)': level, ...Object.fromEntries(METRICS.map(([metric, name]) => [name, cell(model, level, metric)])),
    })));
  }
}

const systemName = (model: string, level: number): string => `${model} at ${level} %`;

const signed = (value: number, digits: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(digits)}`;

function describe({ value, low, high }: Difference): string {
  const star = low > 0 || high < 0 ? ' *' : '';
  return `${signed(value, 4)} [${signed(low, 4)}, ${signed(high, 4)}]${star}`;
}
