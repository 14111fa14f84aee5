/** What distillation's runs say together: means and spread over the seeds, differences from the baseline; and what captioners cost. */
import type { FeatureCaptioner } from '../captioners';
import type { DistillationRun } from './distillation-runs';

/** Two-sided 95 % quantiles of Student's t for 1, 2, … degrees of freedom. */
const T_95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

export interface Spread {
  mean: number;
  /** Sample standard deviation, n − 1 below; NaN of a single value. */
  sd: number;
}

export function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)) };
}

/** A score of the captions, or the validation loss after the last epoch. */
export type DistillationMetric = keyof DistillationRun['scores'] | 'valLoss';

const valueOf = ({ scores, valLoss }: DistillationRun, metric: DistillationMetric): number =>
  (metric === 'valLoss' ? valLoss.at(-1)! : scores[metric]);

export interface RowSummary extends Spread {
  row: string;
  seeds: number;
  /** From the baseline with the same seed: same first weights of the decoder, same order of captions. */
  difference: Spread;
  /** Half the 95 % interval of the mean difference, by Student's t over the seeds. */
  margin: number;
  /** Whether that interval leaves out zero. */
  clear: boolean;
}

/**
 * Every row of the runs, in their order.
 *
 * @throws Error when the baseline lacks a seed of a row
 */
export function summarizeDistillation(runs: readonly DistillationRun[], metric: DistillationMetric, baseline = 'baseline'): RowSummary[] {
  const reference = new Map(runs.filter(({ row }) => row === baseline).map((run) => [run.seed, valueOf(run, metric)]));
  return [...new Set(runs.map(({ row }) => row))].map((row): RowSummary => {
    const mine = runs.filter((run) => run.row === row);
    const difference = spread(mine.map((run) => {
      const { seed } = run, other = reference.get(seed);
      if (other === undefined) throw new Error(`Row ${row} has seed ${seed}, row ${baseline} has not: differences need both.`);
      return valueOf(run, metric) - other;
    }));
    const margin = (T_95[mine.length - 2] ?? (mine.length > T_95.length ? 2.2 : NaN)) * difference.sd / Math.sqrt(mine.length);
    const own = spread(mine.map((run) => valueOf(run, metric)));
    return { row, seeds: mine.length, ...own, difference, margin, clear: Math.abs(difference.mean) > margin };
  });
}

/**
 * Milliseconds from a picture's file to its greedy caption, one picture at a time: the median over the pictures, after one to warm up. The
 * captioners take turns, so that a slow moment of the machine hits all of them.
 */
export async function captionLatency(captioners: readonly FeatureCaptioner[], images: readonly string[]): Promise<number[]> {
  const times = captioners.map((): number[] => []);
  for (const [i, image] of [images[0], ...images].entries()) {
    for (const [k, captioner] of captioners.entries()) {
      const start = performance.now();
      await captioner.caption([image]);
      if (i > 0) times[k].push(performance.now() - start);
    }
  }
  return times.map((list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]);
}
