/**
 * How far scores could be from what they are on other pictures of the same kind, by drawing pictures with replacement (Efron and
 * Tibshirani, "An Introduction to the Bootstrap", 1993; for corpus metrics Koehn, "Statistical Significance Tests for Machine Translation
 * Evaluation", EMNLP 2004). Images are drawn, with all their references. Training and decoding are not repeated: intervals say
 * nothing of another seed.
 */
import { Random } from '../random';
import type { CaptionMetric } from './caption-statistics';

/** What a bootstrap needs to know of a system: its scores on any multiset of the images. `CaptionStatistics` is one for captions. */
export interface ResampledStatistics<M extends string> {
  /** What is drawn: images, or groups of things that belong together. */
  readonly ids: readonly string[];
  /** @param times how often each of `ids` counts; once by default */
  corpus(times?: ArrayLike<number>): Readonly<Record<M, number>>;
}

export interface BootstrapOptions {
  /** Resamples. Default 1000. */
  readonly samples?: number;
  /** Default 42. */
  readonly seed?: number;
  /** Share of the resamples inside an interval. Default 0.95. */
  readonly confidence?: number;
}

/** A score on the images as they are, and the percentile interval of the resamples. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A difference of two systems on the same images. */
export interface Difference extends Interval {
  /**
   * Two-sided: twice the share of resamples in which the difference is not on its side of zero, counting the sample itself, so never
   * below 2 / (samples + 1).
   */
  readonly pValue: number;
}

/**
 * Systems scored on the same images; every resample draws the same images for all of them, so that differences are paired. Corpus
 * metrics are computed anew for each resample (BLEU from pooled counts); CIDEr keeps the document frequencies of all images.
 */
export class PairedBootstrap<M extends string = CaptionMetric> {
  readonly samples: number;
  readonly confidence: number;
  private readonly estimates = new Map<string, Readonly<Record<M, number>>>();
  private readonly resampled = new Map<string, Record<M, Float64Array>>();

  /** @throws RangeError when the systems differ in their images or an option is out of range. */
  constructor(systems: Readonly<Record<string, ResampledStatistics<M>>>, options: BootstrapOptions = {}) {
    const { samples = 1000, seed = 42, confidence = 0.95 } = options;
    if (!Number.isInteger(samples) || samples < 1) {
      throw new RangeError(`bootstrap: samples is ${samples}; expected a whole number, 1 or more.`);
    }
    if (!(confidence > 0 && confidence < 1)) throw new RangeError(`bootstrap: confidence is ${confidence}; expected between 0 and 1.`);
    this.samples = samples;
    this.confidence = confidence;
    const entries = Object.entries(systems);
    const images = sameImages(entries);
    for (const [name, statistics] of entries) {
      const estimate = statistics.corpus();
      this.estimates.set(name, estimate);
      const empty = Object.keys(estimate).map((metric) => [metric, new Float64Array(samples)]);
      this.resampled.set(name, Object.fromEntries(empty) as Record<M, Float64Array>);
    }
    const random = new Random(seed);
    const times = new Int32Array(images);
    for (let sample = 0; sample < samples; sample++) {
      times.fill(0);
      for (let draw = 0; draw < images; draw++) times[random.integer(images)]++;
      for (const [name, statistics] of entries) {
        const scores = statistics.corpus(times);
        const into = this.resampled.get(name)!;
        for (const metric of Object.keys(scores) as M[]) into[metric][sample] = scores[metric];
      }
    }
  }

  get systems(): string[] {
    return [...this.estimates.keys()];
  }

  /** The score of a system. */
  interval(system: string, metric: M): Interval {
    const { value, resampled } = this.scores(system, metric);
    return { value, ...percentiles(resampled, this.confidence) };
  }

  /** The score of `system` less that of `baseline`. */
  difference(system: string, baseline: string, metric: M): Difference {
    const a = this.scores(system, metric);
    const b = this.scores(baseline, metric);
    const differences = a.resampled.map((score, sample) => score - b.resampled[sample]);
    const notAbove = differences.reduce((count, difference) => count + Number(difference <= 0), 1);
    const notBelow = differences.reduce((count, difference) => count + Number(difference >= 0), 1);
    const pValue = Math.min(1, (2 * Math.min(notAbove, notBelow)) / (this.samples + 1));
    return { value: a.value - b.value, ...percentiles(differences, this.confidence), pValue };
  }

  private scores(system: string, metric: M): { value: number; resampled: Float64Array } {
    const estimate = this.estimates.get(system);
    if (!estimate) throw new RangeError(`bootstrap: there is no system ${JSON.stringify(system)}; there are ${this.systems.join(', ')}.`);
    if (!Object.hasOwn(estimate, metric)) {
      throw new RangeError(`bootstrap: there is no metric ${JSON.stringify(metric)}; there are ${Object.keys(estimate).join(', ')}.`);
    }
    return { value: estimate[metric], resampled: this.resampled.get(system)![metric] };
  }
}

/** Number of images, once it is sure that all systems have the same in the same order. */
function sameImages(entries: readonly (readonly [string, ResampledStatistics<string>])[]): number {
  if (entries.length === 0) throw new RangeError('bootstrap: there is no system to draw for.');
  const [[first, { ids }], ...others] = entries;
  for (const [name, other] of others) {
    const at = Array.from({ length: Math.max(ids.length, other.ids.length) }, (_, i) => i).find((i) => ids[i] !== other.ids[i]);
    if (at === undefined) continue;
    throw new RangeError(
      `bootstrap: the systems must have the same images in the same order; image ${at + 1} is ${JSON.stringify(ids[at] ?? 'missing')} ` +
        `for ${first} and ${JSON.stringify(other.ids[at] ?? 'missing')} for ${name}.`,
    );
  }
  return ids.length;
}

/** The middle `confidence` of the values, between values by linear interpolation as numpy's `percentile` does. */
export function percentiles(values: ArrayLike<number>, confidence: number): { low: number; high: number } {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  const tail = (1 - confidence) / 2;
  return { low: at(tail), high: at(1 - tail) };
}
