/** Precision, recall and F1 by class, their means, and the confusion matrix: what scikit-learn's classification_report is made of. */

export interface ClassScores {
  name: string;
  /** Of what was taken for the class, the share that is of it. */
  precision: number;
  /** Of what is of the class, the share that was taken for it. */
  recall: number;
  /** Harmonic mean of the two: 2·TP / (2·TP + FP + FN). */
  f1: number;
  /** How many are of the class. */
  support: number;
}

export type MeanScores = Pick<ClassScores, 'precision' | 'recall' | 'f1'>;

export interface ClassificationReport {
  accuracy: number;
  classes: ClassScores[];
  /** Means over the classes, each counted alike. */
  macro: MeanScores;
  /** Means over the classes, each by its support. */
  weighted: MeanScores;
  /** How many of class `row` were taken for class `column`. */
  confusion: number[][];
}

export interface ClassificationOptions {
  /** Names of the classes 0, 1, …; every one of them counts in the means, also one that nothing is of and nothing is taken for. */
  classes: readonly string[];
  /**
   * Value of a share of nothing: precision of a class that was never predicted, recall of one that nothing is of, F1 where both is so.
   * 0 (default) and 1 count in the means, NaN is left out of them, as scikit-learn's `zero_division`.
   */
  zeroDivision?: 0 | 1 | number;
}

/**
 * @param labels the true class of each example
 * @param predictions the class each was taken for
 * @throws Error for lists of different length or without entries, RangeError for a class that has no name
 */
export function classificationReport(
  labels: ArrayLike<number>, predictions: ArrayLike<number>, { classes, zeroDivision = 0 }: ClassificationOptions,
): ClassificationReport {
  const confusion = confusionMatrix(labels, predictions, classes.length);
  const share = (part: number, whole: number): number => (whole === 0 ? zeroDivision : part / whole);
  const scores = classes.map((name, c): ClassScores => {
    const hits = confusion[c][c], support = sum(confusion[c]), predicted = sum(confusion.map((row) => row[c]));
    return { name, precision: share(hits, predicted), recall: share(hits, support), f1: share(2 * hits, predicted + support), support };
  });
  const means = (weightOf: (one: ClassScores) => number): MeanScores => ({
    precision: mean(scores.map((one) => [one.precision, weightOf(one)])),
    recall: mean(scores.map((one) => [one.recall, weightOf(one)])),
    f1: mean(scores.map((one) => [one.f1, weightOf(one)])),
  });
  const hits = sum(confusion.map((row, c) => row[c]));
  return { accuracy: hits / labels.length, classes: scores, macro: means(() => 1), weighted: means(({ support }) => support), confusion };
}

/** Entry [row][column]: how many of class `row` were taken for class `column`. */
export function confusionMatrix(labels: ArrayLike<number>, predictions: ArrayLike<number>, classes: number): number[][] {
  checkLengths(labels, predictions);
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    for (const [what, value] of [['label', labels[i]], ['prediction', predictions[i]]] as const) {
      if (!(Number.isInteger(value) && value >= 0 && value < classes)) {
        throw new RangeError(`${what} ${i} is ${value}: expected a class from 0 to ${classes - 1}.`);
      }
    }
    matrix[labels[i]][predictions[i]]++;
  }
  return matrix;
}

export interface ConfusedPair {
  /** What it is, and what it was taken for. */
  name: string;
  takenFor: string;
  count: number;
  /** Of what is `name`. */
  share: number;
}

/** The `count` commonest mistakes; of equally common ones those of the larger share of their class come first. */
export function mostConfused({ confusion, classes }: Pick<ClassificationReport, 'confusion' | 'classes'>, count = 10): ConfusedPair[] {
  const pairs = confusion.flatMap((row, i) => row.map((times, j): ConfusedPair =>
    ({ name: classes[i].name, takenFor: classes[j].name, count: i === j ? 0 : times, share: times / classes[i].support })));
  return pairs.filter((pair) => pair.count > 0).sort((a, b) => b.count - a.count || b.share - a.share).slice(0, count);
}

export interface GroupAccuracy<G> { group: G; accuracy: number; count: number }

/** Accuracy of each group of examples, in order of first appearance; numbers (levels of occlusion, say) in rising order. */
export function groupAccuracy<G extends string | number>(
  labels: ArrayLike<number>, predictions: ArrayLike<number>, groups: ArrayLike<G>,
): GroupAccuracy<G>[] {
  checkLengths(labels, predictions);
  checkGroups(labels, groups);
  const counts = new Map<G, { hits: number; count: number }>();
  for (let i = 0; i < labels.length; i++) {
    const { hits, count } = counts.get(groups[i]) ?? { hits: 0, count: 0 };
    counts.set(groups[i], { hits: hits + (labels[i] === predictions[i] ? 1 : 0), count: count + 1 });
  }
  return [...counts].map(([group, { hits, count }]) => ({ group, accuracy: hits / count, count }))
    .sort((a, b) => (typeof a.group === 'number' && typeof b.group === 'number' ? a.group - b.group : 0));
}

export function checkLengths(labels: ArrayLike<number>, values: ArrayLike<number>): void {
  const [expected, given] = [labels.length, values.length];
  if (expected !== given) throw new Error(`There are ${expected} labels and ${given} predictions: expected one each.`);
  if (labels.length === 0) throw new Error('There is nothing to score: labels and predictions are empty.');
}

export function checkGroups(labels: ArrayLike<number>, { length }: ArrayLike<unknown>): void {
  if (length !== labels.length) throw new Error(`There are ${labels.length} labels and ${length} groups: expected one each.`);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Of values with weights; what is not a number is left out, and weights that are all 0 are no weights (numpy's average by scikit-learn). */
function mean(values: readonly (readonly [value: number, weight: number])[]): number {
  const known = values.filter(([value]) => !Number.isNaN(value)), total = sum(known.map(([, weight]) => weight));
  if (total === 0) return sum(known.map(([value]) => value)) / known.length;
  return sum(known.map(([value, weight]) => value * weight)) / total;
}
