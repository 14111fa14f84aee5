import { checkLengths } from './classification';

/**
 * What a single number tells of two classes: a baseline that a trained classifier should be held against. Examples above the
 * threshold are of class `above`, the others of the other class.
 */
export class ThresholdClassifier {
  private constructor(readonly threshold: number, readonly above: 0 | 1, /** On what it was fitted to. */ readonly accuracy: number) {}

  /**
   * The threshold and direction that are right most often; of equally good ones the lowest threshold. It lies halfway between two
   * values that occur, or is infinite if always guessing the same class is best.
   */
  static fit(values: ArrayLike<number>, labels: ArrayLike<number>): ThresholdClassifier {
    checkLengths(labels, values);
    const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
    const ones = order.reduce((count, i) => count + checked(labels[i], i), 0);
    let best = { threshold: -Infinity, above: (ones * 2 >= order.length ? 1 : 0) as 0 | 1, hits: Math.max(ones, order.length - ones) };
    let onesBelow = 0;
    for (const [rank, i] of order.entries()) {
      if (!Number.isFinite(values[i])) throw new RangeError(`value ${i} is ${values[i]}: expected a finite number.`);
      onesBelow += labels[i];
      const next = order[rank + 1];
      if (next === undefined || values[next] === values[i]) continue;
      const hits = rank + 1 - onesBelow + (ones - onesBelow); // zeros below and ones above
      const threshold = (values[i] + values[next]) / 2;
      if (hits > best.hits) best = { threshold, above: 1, hits };
      if (order.length - hits > best.hits) best = { threshold, above: 0, hits: order.length - hits };
    }
    return new ThresholdClassifier(best.threshold, best.above, best.hits / order.length);
  }

  predict(values: ArrayLike<number>): number[] {
    return Array.from(values, (value) => (value > this.threshold ? this.above : 1 - this.above));
  }

  /** Scores for a curve: higher is rather class 1. */
  score(values: ArrayLike<number>): number[] { return Array.from(values, (value) => (this.above === 1 ? value : -value)); }
}

function checked(label: number, i: number): number {
  if (label !== 0 && label !== 1) throw new RangeError(`label ${i} is ${label}: expected 0 or 1.`);
  return label;
}
