/** The training loop that every model here uses: epochs of steps, validation, best and last checkpoint, exact resume, interruption. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Random, tf, valueAndGradients, yieldToEventLoop, type Scalar, type Tensor } from '../engine';
import type { Module } from '../nn';
import { Adam, type AdamOptions } from './adam';
import { findCheckpoint, loadCheckpoint, loadWeights, readState, saveCheckpoint, type TrainingState } from './checkpoint';

/** Where a step's data comes from. The next batch is asked for before a step starts, so that other threads prepare it meanwhile. */
export interface BatchSource<B> {
  readonly stepsPerEpoch: number;
  /** The examples of an epoch in the order they are used; depends on the epoch alone. */
  order(epoch: number): Uint32Array;
  batch(order: Uint32Array, index: number): B | Promise<B>;
}

export interface EpochRecord {
  /** 1 for the first. */
  epoch: number;
  /** Mean of the steps' losses. */
  trainLoss: number;
  /** What `validate` returned, such as valLoss or Bleu_4. */
  metrics: Record<string, number>;
  seconds: number;
}

export interface TrainOptions<B> {
  model: Module;
  /** Loss of one batch; called with the model in training mode. */
  loss: (batch: B) => Scalar;
  batches: BatchSource<B>;
  epochs: number;
  optimizer: AdamOptions;
  /** Factor on the learning rate at a step (from 0) of so many. */
  schedule?: (step: number, steps: number) => number;
  /** Source of dropout's randomness: the same object the model was built with, so that a resume continues it. */
  random: Random;
  /** Called after every epoch, with the model in evaluation mode. */
  validate?: (epoch: number) => Promise<Record<string, number>> | Record<string, number>;
  /** Which metric chooses the best checkpoint; restored at the end. */
  best?: { metric: string; mode: 'min' | 'max' };
  /** Stops after so many epochs without a better metric. */
  patience?: number;
  /** Checkpoints and history.jsonl go here; without it nothing is written. */
  folder?: string;
  /** A run in the folder that has already ended: false (default) loads it as it is, true trains anew in its place. */
  restartFinished?: boolean;
  /** Settings that must agree when a run is resumed. */
  config?: Record<string, unknown>;
  /** Saves the last checkpoint every so many steps beside the one at each epoch's end. */
  checkpointSteps?: number;
  /** Stops at the next step and leaves a checkpoint that a later call resumes. */
  signal?: AbortSignal;
  onStep?: (progress: { epoch: number; step: number; steps: number; loss: number; learningRate: number }) => void;
  onEpoch?: (record: EpochRecord) => void;
}

export interface TrainResult {
  history: EpochRecord[];
  /** Epoch whose weights the model holds now. */
  bestEpoch: number;
  interrupted: boolean;
  seconds: number;
}

export async function train<B extends object>(options: TrainOptions<B>): Promise<TrainResult> {
  const { model, batches, epochs, random, folder, best, signal, patience = Infinity } = options;
  const started = Date.now();
  const parameters = model.trainableParameters();
  if (parameters.length === 0) throw new Error(`${model.constructor.name} has no trainable parameters: unfreeze something.`);
  const optimizer = new Adam(parameters, options.optimizer);
  const config = JSON.stringify({ ...options.config, optimizer: options.optimizer, stepsPerEpoch: batches.stepsPerEpoch });
  const state: TrainingState = {
    epoch: 0, batch: 0, step: 0, optimizerSteps: 0, learningRate: options.optimizer.learningRate, random: random.save(),
    lossSum: 0, lossCount: 0, best: null, epochsWithoutImprovement: 0, finished: false, config,
  };
  const history: EpochRecord[] = [];
  const historyFile = folder && path.join(folder, 'history.jsonl');
  const save = (name: string) => {
    if (!folder) return;
    Object.assign(state, { random: random.save(), optimizerSteps: optimizer.steps, learningRate: optimizer.learningRate });
    saveCheckpoint(folder, name, model, optimizer, state);
  };
  let bestWeights: Float32Array[] | undefined;
  let interrupted = false;

  try {
    let last = folder && findCheckpoint(folder, 'last');
    if (last && options.restartFinished && hasEnded(readState(last), epochs)) {
      fs.rmSync(folder!, { recursive: true });
      last = undefined;
    }
    if (last) {
      Object.assign(state, loadCheckpoint(last, model, optimizer, config));
      random.restore(state.random);
      history.push(...readHistory(historyFile!, state.epoch));
    }
    const total = epochs * batches.stepsPerEpoch;
    let epochStart = Date.now();
    while (!hasEnded(state, epochs)) {
      const order = batches.order(state.epoch);
      model.train();
      const ask = (index: number) => (index < batches.stepsPerEpoch ? Promise.resolve(batches.batch(order, index)) : undefined);
      let next = ask(state.batch);
      while (next) {
        const batch = await next;
        if (signal?.aborted) { interrupted = true; tf.dispose(batch as never); break; }
        next = ask(state.batch + 1);
        next?.catch(() => {}); // reported when it is awaited
        let value: number;
        try { value = step(batch, total); } catch (error) { next?.then((b) => tf.dispose(b as never), () => {}); throw error; } finally { tf.dispose(batch as never); }
        state.batch++;
        state.step++;
        state.lossSum += value;
        state.lossCount++;
        options.onStep?.({ epoch: state.epoch + 1, step: state.step, steps: total, loss: value, learningRate: optimizer.learningRate });
        if (options.checkpointSteps && state.step % options.checkpointSteps === 0 && state.batch < batches.stepsPerEpoch) save('last');
        // Without a turn of the event loop neither the progress bar nor the stop button works.
        await yieldToEventLoop();
      }
      if (interrupted) { save('last'); break; }
      model.eval();
      const metrics = (await options.validate?.(state.epoch + 1)) ?? {};
      const record: EpochRecord = { epoch: state.epoch + 1, trainLoss: state.lossSum / state.lossCount, metrics, seconds: (Date.now() - epochStart) / 1000 };
      epochStart = Date.now();
      history.push(record);
      Object.assign(state, { epoch: state.epoch + 1, batch: 0, lossSum: 0, lossCount: 0 });
      const improved = isBetter(record, state.best?.value, best);
      state.epochsWithoutImprovement = improved ? 0 : state.epochsWithoutImprovement + 1;
      if (state.epochsWithoutImprovement >= patience) state.finished = true;
      if (improved) {
        state.best = { epoch: record.epoch, value: best ? record.metrics[best.metric] : record.trainLoss };
        if (folder) save('best');
        else bestWeights = parameters.map((p) => p.save());
      }
      // History before the checkpoint: a cut between the two repeats a line, which reading drops.
      if (historyFile) fs.appendFileSync(historyFile, `${JSON.stringify(record)}\n`);
      save('last');
      options.onEpoch?.(record);
    }
    if (!interrupted && state.best) {
      const checkpoint = folder && findCheckpoint(folder, 'best');
      if (checkpoint) loadWeights(checkpoint, model);
      else bestWeights?.forEach((values, i) => parameters[i].load(values));
    }
  } finally {
    model.eval();
    optimizer.dispose();
  }
  return { history, bestEpoch: interrupted ? state.epoch : state.best?.epoch ?? 0, interrupted, seconds: (Date.now() - started) / 1000 };

  function step(batch: B, total: number): number {
    optimizer.learningRate = options.optimizer.learningRate * (options.schedule?.(state.step, total) ?? 1);
    const { value, gradients } = valueAndGradients(() => options.loss(batch), parameters.map((p) => p.tensor));
    const loss = value.dataSync()[0];
    value.dispose();
    if (!Number.isFinite(loss)) {
      tf.dispose(gradients.filter((g) => g !== null) as Tensor[]);
      throw new Error(`The loss became ${loss} at step ${state.step + 1} (epoch ${state.epoch + 1}, batch ${state.batch + 1}): lower the learning rate. The last checkpoint is untouched.`);
    }
    optimizer.step(gradients);
    return loss;
  }
}

const hasEnded = (state: TrainingState, epochs: number): boolean => state.finished || state.epoch >= epochs;

function isBetter(record: EpochRecord, former: number | undefined, best: TrainOptions<object>['best']): boolean {
  if (!best) return true;
  const value = record.metrics[best.metric];
  if (value === undefined) throw new Error(`best.metric is "${best.metric}", but validate returned ${Object.keys(record.metrics).join(', ') || 'nothing'}.`);
  return former === undefined || (best.mode === 'max' ? value > former : value < former);
}

/** Records of the epochs before the checkpoint's position; the later of two lines for the same epoch counts. */
function readHistory(file: string, epochs: number): EpochRecord[] {
  if (!fs.existsSync(file)) return [];
  const records = new Map<number, EpochRecord>();
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    try { const record = JSON.parse(line) as EpochRecord; records.set(record.epoch, record); } catch { /* a torn last line */ }
  }
  return [...records.values()].filter((record) => record.epoch <= epochs).sort((a, b) => a.epoch - b.epoch);
}
