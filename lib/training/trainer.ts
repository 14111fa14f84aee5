/** The training loop that every model here uses: epochs of steps, validation, best and last checkpoint, exact resume, interruption. */
import { Random, tf, withPrecision, yieldToEventLoop, type Precision, type Scalar, type Tensor } from '../engine';
import type { Module } from '../nn';
import { Adam, type AdamOptions } from './adam';
import type { TrainingState } from './checkpoint';
import { describeDivergence, parametersNotFinite } from './divergence';
import type { EpochRecord } from './history';
import { hasEnded, RunFolder } from './run-folder';
import { warnOfSlowBfloat16 } from './slow-bfloat16';
import { EventWriter } from './tensorboard';
import { Update, type MeasuredLoss } from './update';

/** Where a step's data comes from. The next batch is asked for before a step starts, so that other threads prepare it meanwhile. */
export interface BatchSource<B> {
  readonly stepsPerEpoch: number;
  /** The examples of an epoch in the order they are used; depends on the epoch alone. */
  order(epoch: number): Uint32Array;
  batch(order: Uint32Array, index: number): B | Promise<B>;
}

export interface TrainOptions<B> {
  model: Module;
  /**
   * Loss of one batch, and what else is to be measured on it; with the model in training mode. A step of the same shapes as one before is run
   * as a graph (`GraphFunction`), without a call of this: it must do the same for all batches of the same shapes, and read no values back.
   */
  loss: (batch: B) => Scalar | MeasuredLoss;
  /** The measures of each batch, if `loss` returns any. */
  onMeasures?: (measures: Record<string, number>) => void;
  /** Tensors that `loss` reads beside the batch and the model's own, such as another network's weights: always as many, of the same shapes. */
  state?: () => readonly Tensor[];
  /** Whether steps run as graphs; default true. A resumed run computes as the first one did only if both do. */
  graphs?: boolean;
  batches: BatchSource<B>;
  epochs: number;
  optimizer: AdamOptions;
  /** Batches to an update of the weights, which then counts as one step; default 1. The last update of an epoch takes what is left. */
  accumulate?: number;
  /**
   * How much a batch counts in an update of several: the number of rows or words that its mean loss is over makes the update
   * that of one big batch. Default: every batch alike.
   */
  batchWeight?: (batch: B) => number;
  /** Scales an update's gradients down to this norm where all of them together exceed it (torch.nn.utils.clip_grad_norm_). */
  maxGradNorm?: number;
  /**
   * What the products of `loss` and of its gradients are computed in (see `withPrecision`); default float32. Weights, gradients and the
   * optimizer are float32 either way, and so is what `validate` computes. bfloat16 needs no scaling of the loss.
   */
  precision?: Precision;
  /** Factor on the learning rate at a step (from 0) of so many. */
  schedule?: (step: number, steps: number) => number;
  /** Source of dropout's randomness: the same object the model was built with, so that a resume continues it. */
  random: Random;
  /** Called after every epoch, with the model in evaluation mode. */
  validate?: (epoch: number) => Promise<Record<string, number>> | Record<string, number>;
  /** What is too dear for every epoch, such as scores of generated captions: after every so many epochs and after the last. */
  evaluate?: { every: number; run: (epoch: number) => Promise<Record<string, number>> | Record<string, number> };
  /** Which metric chooses the best checkpoint, among the epochs that have it; restored at the end. */
  best?: { metric: string; mode: 'min' | 'max' };
  /** Stops early: after so many epochs in a row without a better value of the `best` metric. Epochs that lack it do not count. */
  patience?: number;
  /**
   * Checkpoints and history.jsonl go here, of one run at a time; without it nothing is written. A run that was stopped or killed goes on
   * from the last checkpoint, with the bits of one that was not.
   */
  folder?: string;
  /**
   * A run in the folder that has already ended: false (default) loads it as it is, true trains anew in its place, also where a run in
   * the folder, ended or not, had other settings: for runs of a minute, which are not worth keeping.
   */
  restartFinished?: boolean;
  /** Settings that must agree when a run is resumed. */
  config?: Record<string, unknown>;
  /** Saves the last checkpoint every so many steps beside the one at each epoch's end. */
  checkpointSteps?: number;
  /** Keeps the weights of every so many epochs for good, beside the last and the best: `loadKeptEpoch` loads them. Needs a folder. */
  keepEvery?: number;
  /** Folder for TensorBoard's event files: train/loss, train/learning_rate and (if clipped) train/gradient_norm by step, epoch/… by epoch. */
  tensorBoard?: string;
  /** Stops at the next step and leaves a checkpoint that a later call resumes. */
  signal?: AbortSignal;
  /** After an update; `loss` is the mean over its batches. */
  onStep?: (progress: { epoch: number; step: number; steps: number; loss: number; learningRate: number; gradientNorm?: number }) => void;
  onEpoch?: (record: EpochRecord) => void;
}

export interface TrainResult {
  history: EpochRecord[];
  /** Epoch whose weights the model holds now. */
  bestEpoch: number;
  interrupted: boolean;
  seconds: number;
  /** Why steps did not run as graphs, which takes about twice the time; undefined if they did. */
  graphObstacle?: string;
}

/** A loss or gradient that is no finite number. What `train` was told to write is on disk up to the last checkpoint. */
export class DivergedError extends Error {
  constructor(message: string, /** The epochs before. */ readonly history: EpochRecord[]) { super(message); }
}

const REMEDY = 'Lower the learning rate, or clip the gradients (maxGradNorm). The last checkpoint is untouched.';

/**
 * Trains a network by AdamW for so many epochs, on batches of any kind, by a loss of yours; with a folder it resumes what was cut off, with
 * the same bits. Steps run as graphs where the loss can be one.
 *
 *     const optimizer = { learningRate: 1e-3 };
 *     const { history } = await train({ model, random, batches, epochs: 5, optimizer, loss: (batch) => model.loss(batch) });
 *
 * @throws DivergedError if a loss or gradient is no finite number
 */
export async function train<B extends object>(options: TrainOptions<B>): Promise<TrainResult> {
  const { model, batches, epochs, random, folder, evaluate, best, signal, patience = Infinity, accumulate = 1, maxGradNorm } = options;
  const precision = options.precision ?? 'float32';
  checkNumbers(options);
  const started = Date.now();
  const parameters = model.trainableParameters();
  if (parameters.length === 0) throw new Error(`${model.constructor.name} has no trainable parameters: unfreeze something.`);
  const optimizer = new Adam(parameters, options.optimizer);
  const config = JSON.stringify({
    ...options.config, optimizer: options.optimizer, stepsPerEpoch: batches.stepsPerEpoch,
    accumulate: accumulate > 1 ? accumulate : undefined, maxGradNorm, precision: precision === 'float32' ? undefined : precision,
    graphs: options.graphs === false ? false : undefined,
  });
  if (precision === 'bfloat16') warnOfSlowBfloat16();
  const weight = accumulate > 1 ? options.batchWeight : undefined;
  const loss = (batch: B) => withPrecision(precision, () => options.loss(batch));
  const state = () => [...[...model.namedParameters()].map(([, { tensor }]) => tensor), ...(options.state?.() ?? [])];
  const update = new Update<B>(optimizer, { loss, weight, maxGradNorm, accumulate, state, graphs: options.graphs });
  const events = options.tensorBoard === undefined ? undefined : new EventWriter(options.tensorBoard);
  const progress: TrainingState = {
    epoch: 0, batch: 0, step: 0, optimizerSteps: 0, learningRate: options.optimizer.learningRate, random: random.save(),
    lossSum: 0, lossCount: 0, best: null, epochsWithoutImprovement: 0, finished: false, config,
  };
  const history: EpochRecord[] = [];
  let run: RunFolder | undefined;
  const save = (name: 'last' | 'best') => {
    Object.assign(progress, { random: random.save(), optimizerSteps: optimizer.steps, learningRate: optimizer.learningRate });
    run?.save(name, model, optimizer, progress);
  };
  let bestWeights: Float32Array[] | undefined;
  let interrupted = false;

  try {
    run = folder === undefined ? undefined : RunFolder.open(folder, { config, epochs, restart: options.restartFinished ?? false });
    const last = run?.resume(model, optimizer, config);
    if (last) {
      Object.assign(progress, last);
      random.restore(progress.random);
    }
    history.push(...(run?.takeHistory(progress.epoch) ?? []));
    const total = epochs * Math.ceil(batches.stepsPerEpoch / accumulate);
    let epochStart = Date.now();
    while (!hasEnded(progress, epochs)) {
      const order = batches.order(progress.epoch);
      model.train();
      const ask = (index: number) => (index < batches.stepsPerEpoch ? Promise.resolve(batches.batch(order, index)) : undefined);
      let next = ask(progress.batch);
      // progress.batch is where the update under way began: a checkpoint, and dropout's randomness with it, never lies inside an update.
      for (let index = progress.batch, randomBefore = random.save(); next; index++) {
        const batch = await next;
        if (signal?.aborted) {
          interrupted = true;
          tf.dispose(batch as never);
          random.restore(randomBefore);
          break;
        }
        next = ask(index + 1);
        next?.catch(() => {}); // reported when it is awaited
        try {
          const { loss, measures } = update.add(batch);
          checkFinite('loss', loss, index, batch);
          options.onMeasures?.(measures);
          if (next && index + 1 - progress.batch < accumulate) { await yieldToEventLoop(); continue; }
          step(index + 1, total, batch);
          randomBefore = random.save();
          if (options.checkpointSteps && progress.step % options.checkpointSteps === 0 && progress.batch < batches.stepsPerEpoch) {
            checkWeights();
            save('last');
          }
        } catch (error) {
          next?.then((b) => tf.dispose(b as never), () => {});
          throw error;
        } finally {
          tf.dispose(batch as never);
        }
        // Without a turn of the event loop neither the progress bar nor the stop button works.
        await yieldToEventLoop();
      }
      update.reset();
      checkWeights();
      if (interrupted) { save('last'); break; }
      model.eval();
      const epoch = progress.epoch + 1, metrics: Record<string, number> = { ...(await options.validate?.(epoch)) };
      // Patience may make this epoch the last, which only a metric of `validate` can tell by now.
      const isWorse = isBetter(metrics, progress.best?.value, best) === false;
      const isLast = epoch >= epochs || (isWorse && progress.epochsWithoutImprovement + 1 >= patience);
      const isComplete = !evaluate || isLast || epoch % evaluate.every === 0;
      if (isComplete) Object.assign(metrics, await evaluate?.run(epoch));
      const record: EpochRecord = { epoch, trainLoss: progress.lossSum / progress.lossCount, metrics, seconds: (Date.now() - epochStart) / 1000 };
      epochStart = Date.now();
      history.push(record);
      Object.assign(progress, { epoch, batch: 0, lossSum: 0, lossCount: 0 });
      const improved = isBetter(metrics, progress.best?.value, best);
      if (improved === undefined && isComplete) {
        const sources = evaluate ? 'validate and evaluate' : 'validate', names = Object.keys(metrics).join(', ') || 'nothing';
        throw new Error(`best.metric is "${best!.metric}", but ${sources} returned ${names}.`);
      }
      if (improved !== undefined) progress.epochsWithoutImprovement = improved ? 0 : progress.epochsWithoutImprovement + 1;
      if (progress.epochsWithoutImprovement >= patience) progress.finished = true;
      if (improved) {
        progress.best = { epoch, value: best ? metrics[best.metric] : record.trainLoss };
        if (run) save('best');
        else bestWeights = parameters.map((p) => p.save());
      }
      if (options.keepEvery && epoch % options.keepEvery === 0) run!.keepEpoch(epoch, model);
      // History before the checkpoint: a cut between the two leaves a line too many, which a resume drops.
      run?.append(record);
      save('last');
      const values = Object.entries({ trainLoss: record.trainLoss, ...metrics }).map(([name, value]) => [`epoch/${name}`, value]);
      events?.scalars(progress.step, Object.fromEntries(values));
      options.onEpoch?.(record);
    }
    if (!interrupted && progress.best) {
      if (run) run.loadBest(model);
      else bestWeights?.forEach((values, i) => parameters[i].load(values));
    }
  } finally {
    model.eval();
    update.dispose();
    optimizer.dispose();
    events?.close();
    run?.close();
  }
  const bestEpoch = interrupted ? progress.epoch : progress.best?.epoch ?? 0, { graphObstacle } = update;
  return { history, bestEpoch, interrupted, seconds: (Date.now() - started) / 1000, ...(graphObstacle !== undefined && { graphObstacle }) };

  /** Updates the weights by the batches up to `end`, of which `batch` is the last. */
  function step(end: number, total: number, batch: B): void {
    optimizer.learningRate = options.optimizer.learningRate * (options.schedule?.(progress.step, total) ?? 1);
    const { learningRate } = optimizer;
    const { loss, ...norm } = update.apply((value) => checkFinite('norm of the gradients', value, end - 1, batch));
    progress.batch = end;
    progress.step++;
    progress.lossSum += loss;
    progress.lossCount++;
    const gradientNorm: Record<string, number> = norm.gradientNorm === undefined ? {} : { 'train/gradient_norm': norm.gradientNorm };
    events?.scalars(progress.step, { 'train/loss': loss, 'train/learning_rate': learningRate, ...gradientNorm });
    options.onStep?.({ epoch: progress.epoch + 1, step: progress.step, steps: total, loss, learningRate, ...norm });
  }

  function checkFinite(what: string, value: number, index: number, batch: B): void {
    if (Number.isFinite(value)) return;
    const where = `step ${progress.step + 1} (epoch ${progress.epoch + 1}, batch ${index + 1})`;
    // One of the batches before may be it where several make an update.
    const cause = withPrecision(precision, () => describeDivergence(model, batch, () => options.loss(batch)));
    throw new DivergedError(`The ${what} became ${value} at ${where}. ${cause} ${REMEDY}`, history);
  }

  /** Weights that are not finite are never saved: the loss of the next step would tell of them too late. */
  function checkWeights(): void {
    const names = parametersNotFinite(model);
    if (names.length === 0) return;
    const where = `step ${progress.step} (epoch ${progress.epoch + 1}, batch ${progress.batch})`;
    throw new DivergedError(`The weights ${names.slice(0, 3).join(', ')} are not finite after ${where}: their gradients were not, or the step was too large. ${REMEDY}`, history);
  }
}

function checkNumbers<B>({ accumulate = 1, maxGradNorm = 1, patience, best, evaluate, keepEvery, folder }: TrainOptions<B>): void {
  if (!Number.isInteger(accumulate) || accumulate < 1) throw new Error(`accumulate is ${accumulate}: expected a whole number of batches from 1 on.`);
  if (!(maxGradNorm > 0)) throw new Error(`maxGradNorm is ${maxGradNorm}: expected a number above 0.`);
  if (patience !== undefined && !(patience >= 1)) throw new Error(`patience is ${patience}: expected a number of epochs from 1 on.`);
  if (patience !== undefined && !best) throw new Error('patience waits for a better value of a metric: name it in `best`.');
  for (const [name, epochs] of [['keepEvery', keepEvery], ['evaluate.every', evaluate?.every]] as const) {
    const isWrong = epochs !== undefined && !(Number.isInteger(epochs) && epochs >= 1);
    if (isWrong) throw new Error(`${name} is ${epochs}: expected a whole number of epochs from 1 on.`);
  }
  if (keepEvery !== undefined && !folder) throw new Error('keepEvery keeps weights of epochs: give a folder for them.');
}

/** Whether an epoch beats the best before it, which without `best` every epoch does; undefined if it lacks the metric. */
function isBetter(metrics: EpochRecord['metrics'], former: number | undefined, best: TrainOptions<object>['best']): boolean | undefined {
  if (!best) return true;
  const value = metrics[best.metric] as number | undefined;
  if (value === undefined) return undefined;
  return !Number.isNaN(value) && (former === undefined || (best.mode === 'max' ? value > former : value < former));
}
