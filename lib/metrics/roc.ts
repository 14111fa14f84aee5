import { checkLengths } from './classification';

export interface RocCurve {
  /** Of the negative examples, the share that scores at least the threshold: from 0 to 1. NaN if there are none. */
  falsePositiveRate: number[];
  /** Of the positive examples, the same. NaN if there are none. */
  truePositiveRate: number[];
  /** Falling, the first Infinity: nothing is taken as positive. */
  thresholds: number[];
  /** Area under the curve: how likely a positive example scores above a negative one, ties counted as half. NaN with one class alone. */
  auc: number;
}

export interface RocOptions {
  /** Leaves out points on a straight line between two others, as scikit-learn; default true. The area is the same. */
  dropIntermediate?: boolean;
}

/**
 * Receiver operating characteristic of scores, equal to scikit-learn's roc_curve and roc_auc_score. Examples of the same score move
 * together: the curve has one point a distinct score.
 *
 * @param labels 1 for a positive example, 0 for a negative one
 * @param scores higher for what is rather positive
 */
export function rocCurve(labels: ArrayLike<number>, scores: ArrayLike<number>, { dropIntermediate = true }: RocOptions = {}): RocCurve {
  checkLengths(labels, scores);
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== 0 && labels[i] !== 1) throw new RangeError(`label ${i} is ${labels[i]}: expected 0 or 1.`);
    if (!Number.isFinite(scores[i])) throw new RangeError(`score ${i} is ${scores[i]}: expected a finite number.`);
  }
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  // After each distinct score: how many negative and positive examples score at least as much.
  let points: { negatives: number; positives: number; threshold: number }[] = [];
  let negatives = 0, positives = 0;
  for (const [rank, i] of order.entries()) {
    if (labels[i] === 1) positives++;
    else negatives++;
    if (rank + 1 === order.length || scores[order[rank + 1]] !== scores[i]) points.push({ negatives, positives, threshold: scores[i] });
  }
  if (dropIntermediate && points.length > 2) {
    points = points.filter((point, k) => {
      const before = points[k - 1], after = points[k + 1];
      if (!before || !after) return true;
      return before.negatives + after.negatives !== 2 * point.negatives || before.positives + after.positives !== 2 * point.positives;
    });
  }
  points.unshift({ negatives: 0, positives: 0, threshold: Infinity });
  const rate = (count: number, of: number): number => (of === 0 ? NaN : count / of);
  let area = 0; // in trapezia, twice
  for (let k = 1; k < points.length; k++) {
    area += (points[k].negatives - points[k - 1].negatives) * (points[k].positives + points[k - 1].positives);
  }
  return {
    falsePositiveRate: points.map((point) => rate(point.negatives, negatives)),
    truePositiveRate: points.map((point) => rate(point.positives, positives)),
    thresholds: points.map(({ threshold }) => threshold),
    auc: rate(area / 2, negatives * positives),
  };
}
