import * as path from 'node:path';
import type { EpochRecord } from './history';
import { DivergedError, type TrainResult } from './trainer';

/** What runs are compared by: a metric of `validate`, or trainLoss. */
export interface SearchCriterion { metric: string; mode: 'min' | 'max' }

export interface LearningRateSearchOptions<M extends { dispose(): void }> {
  rates: readonly number[];
  /** A fresh model; from the same seed every time, so that the runs differ in the rate alone. */
  build: (learningRate: number) => M | Promise<M>;
  /** Trains it by `train` at the rate. `folder` is the run's own, where the search has one: handed to `train`, a stopped search goes on. */
  train: (model: M, learningRate: number, folder: string | undefined) => Promise<TrainResult>;
  best: SearchCriterion;
  /** Holds a folder a rate, such as lr-5e-5. */
  folder?: string;
  onRun?: (run: LearningRateRun) => void;
}

export interface LearningRateRun {
  learningRate: number;
  history: EpochRecord[];
  /** Best value of the criterion; undefined where no epoch that has it was completed. */
  value?: number;
  /** Epoch of that value. */
  epoch?: number;
  /** Why a run failed: at too high a rate the loss stops being a number. */
  error?: string;
  seconds: number;
}

export interface LearningRateSearch<M> {
  /** One a rate in the order given, up to the one that was interrupted. */
  runs: LearningRateRun[];
  /** The run with the best value; of equal ones the first. */
  best: LearningRateRun;
  /** Its model, the caller's to dispose; those of the other runs are disposed. */
  model: M;
  interrupted: boolean;
}

/**
 * Trains once at each learning rate; keeps every run's history, and the best run's model. A run whose loss stops being a number
 * counts as failed and the search goes on.
 *
 * @throws DivergedError of the first run when all fail; Error for rates or a criterion that make no sense; what `build` and
 * `train` throw
 */
export async function learningRateSearch<M extends { dispose(): void }>(
  options: LearningRateSearchOptions<M>,
): Promise<LearningRateSearch<M>> {
  const { rates, best: criterion, folder } = options;
  if (rates.length === 0) throw new Error('There is no learning rate to try: give one or more in `rates`.');
  const wrong = rates.find((rate, i) => !(rate > 0 && Number.isFinite(rate)) || rates.indexOf(rate) !== i);
  if (wrong !== undefined) throw new Error(`The learning rates are ${rates.join(', ')}: expected numbers above 0, each once, not ${wrong}.`);
  const runs: LearningRateRun[] = [];
  let best: { run: LearningRateRun; model: M } | undefined, failure: DivergedError | undefined;
  let interrupted = false;
  let model: M | undefined; // of the run that goes on
  try {
    for (const learningRate of rates) {
      const started = Date.now();
      model = await options.build(learningRate);
      const run: LearningRateRun = { learningRate, history: [], seconds: 0 };
      try {
        const result = await options.train(model, learningRate, folder && path.join(folder, learningRateName(learningRate)));
        interrupted = result.interrupted;
        Object.assign(run, { history: result.history, ...bestEpoch(result, criterion) });
      } catch (error) {
        if (!(error instanceof DivergedError)) throw error;
        failure ??= error;
        Object.assign(run, { history: error.history, error: error.message });
      }
      run.seconds = (Date.now() - started) / 1000;
      runs.push(run);
      if (run.error === undefined && isBetter(run, best?.run, criterion)) {
        best?.model.dispose();
        best = { run, model };
      } else model.dispose();
      model = undefined;
      options.onRun?.(run);
      if (interrupted) break;
    }
    if (!best) throw failure!;
  } catch (error) {
    model?.dispose();
    best?.model.dispose();
    throw error;
  }
  return { runs, best: best.run, model: best.model, interrupted };
}

/** What a rate's folder is called, such as lr-5e-5. */
export const learningRateName = (learningRate: number): string => `lr-${learningRate.toExponential()}`;

/** The first epoch with the best value, of those that have one. */
function bestEpoch({ history, interrupted }: TrainResult, { metric, mode }: SearchCriterion): { epoch?: number; value?: number } {
  const valueOf = ({ metrics, trainLoss }: EpochRecord): number | undefined =>
    metrics[metric] ?? (metric === 'trainLoss' ? trainLoss : undefined);
  if (!interrupted && history.length > 0 && history.every((record) => valueOf(record) === undefined)) {
    const names = new Set(history.flatMap(({ metrics }) => Object.keys(metrics)));
    throw new Error(`The search is to compare "${metric}", but the runs have ${['trainLoss', ...names].join(', ')}.`);
  }
  let best: { epoch?: number; value?: number } = {};
  for (const record of history) {
    const value = valueOf(record), { epoch } = record;
    if (value === undefined || !Number.isFinite(value)) continue;
    if (best.value === undefined || (mode === 'max' ? value > best.value : value < best.value)) best = { epoch, value };
  }
  return best;
}

function isBetter(run: LearningRateRun, former: LearningRateRun | undefined, { mode }: SearchCriterion): boolean {
  if (former === undefined) return true;
  if (run.value === undefined || former.value === undefined) return former.value === undefined && run.value !== undefined;
  return mode === 'max' ? run.value > former.value : run.value < former.value;
}
