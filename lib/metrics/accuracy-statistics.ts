/** Accuracy of a classifier in numbers that add up, for a bootstrap. */
import { checkGroups, checkLengths } from './classification';
import type { ResampledStatistics } from './bootstrap';

/**
 * Hits and examples of each group. Examples of one group (things cut out of one picture, say) resemble each other: they are drawn
 * together, or the intervals would be too narrow.
 */
export class AccuracyStatistics implements ResampledStatistics<'accuracy'> {
  /** The groups, in order of first appearance. */
  readonly ids: readonly string[];
  private readonly counts: readonly { hits: number; count: number }[];

  /**
   * @param groups the group of each example; each by itself unless given
   * @throws Error for lists of different length or without entries
   */
  constructor(
    labels: ArrayLike<number>, predictions: ArrayLike<number>, groups: readonly string[] = Array.from(labels, (_, i) => String(i)),
  ) {
    checkLengths(labels, predictions);
    checkGroups(labels, groups);
    const counts = new Map<string, { hits: number; count: number }>();
    for (const [i, group] of groups.entries()) {
      const { hits, count } = counts.get(group) ?? { hits: 0, count: 0 };
      counts.set(group, { hits: hits + Number(labels[i] === predictions[i]), count: count + 1 });
    }
    this.ids = [...counts.keys()];
    this.counts = [...counts.values()];
  }

  corpus(times?: ArrayLike<number>): { accuracy: number } {
    let right = 0, all = 0;
    for (const [i, { hits, count }] of this.counts.entries()) {
      const weight = times ? times[i] : 1;
      right += weight * hits;
      all += weight * count;
    }
    return { accuracy: right / all };
  }
}
