/**
 * Checkpoints of a run: `<folder>/<name>-<step>/` with weights, optimizer moments and position, and `<folder>/<name>.json` that
 * points to it. A checkpoint is written whole under a temporary name; only then does the pointer move, so that a cut-off write
 * leaves the former one in force.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { tf, type Tensor } from '../engine';
import type { Module } from '../nn';
import { settingsDifference } from '../settings-difference';
import { writeWhole } from '../whole-file';
import { loadState, SafetensorsFile, saveState, writeSafetensors, type TensorToWrite } from '../weights';
import type { Adam } from './adam';

const stateSchema = z.object({
  /** Epoch and batch to go on with. */
  epoch: z.number().int().nonnegative(),
  batch: z.number().int().nonnegative(),
  step: z.number().int().nonnegative(),
  optimizerSteps: z.number().int().nonnegative(),
  learningRate: z.number(),
  random: z.array(z.number()).length(4),
  /** Sum and number of the losses of the epoch so far. */
  lossSum: z.number(),
  lossCount: z.number().int(),
  best: z.object({ epoch: z.number().int(), value: z.number() }).nullable(),
  epochsWithoutImprovement: z.number().int().nonnegative(),
  finished: z.boolean(),
  /** What the run was started with; a resume with other settings is refused. */
  config: z.string(),
});

export type TrainingState = z.infer<typeof stateSchema>;

const WEIGHTS = 'model.safetensors';

const pointerSchema = z.object({ folder: z.string().regex(/^[\w-]+$/) });

const writeJson = (file: string, value: unknown): void => writeWhole(file, `${JSON.stringify(value, null, 2)}\n`);

export function saveCheckpoint(folder: string, name: string, model: Module, optimizer: Adam, state: TrainingState): void {
  const target = `${name}-${state.step}`;
  writeFolder(folder, target, (temporary) => {
    saveState(model, path.join(temporary, WEIGHTS));
    const names = namesOf(model, optimizer);
    const tensors = new Map<string, TensorToWrite>();
    for (const [i, { m, v }] of optimizer.moments().entries()) {
      tensors.set(`${names[i]}.m`, { shape: m.shape, data: m.dataSync() as Float32Array });
      tensors.set(`${names[i]}.v`, { shape: v.shape, data: v.dataSync() as Float32Array });
      tf.dispose([m, v]);
    }
    writeSafetensors(path.join(temporary, 'optimizer.safetensors'), tensors);
    writeJson(path.join(temporary, 'state.json'), state);
  });
  writeJson(path.join(folder, `${name}.json`), { folder: target });
  removeEntries(folder, new RegExp(`^(?!${target}$)(${name}-\\d+|\\.${name}-\\d+\\.\\d+\\.tmp)$`));
}

/** Keeps the weights of an epoch in `<folder>/epoch-<number>/`, where later checkpoints leave them. */
export function keepEpoch(folder: string, epoch: number, model: Module): void {
  writeFolder(folder, `epoch-${epoch}`, (temporary) => saveState(model, path.join(temporary, WEIGHTS)));
  removeEntries(folder, /^\.epoch-\d+\.\d+\.tmp$/);
}

/** The epochs that a run with `keepEvery` kept in its folder, first to last. */
export function keptEpochs(folder: string): number[] {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return names.flatMap((name) => /^epoch-(\d+)$/.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b);
}

/** @throws Error when the epoch was not kept, or is of another architecture. */
export function loadKeptEpoch(folder: string, epoch: number, model: Module): void {
  const kept = keptEpochs(folder);
  if (!kept.includes(epoch)) {
    throw new Error(`${folder} has no epoch ${epoch}; it has ${kept.join(', ') || 'none'}. A run keeps every n-th with keepEvery: n.`);
  }
  loadWeights(path.join(folder, `epoch-${epoch}`), model);
}

/** Writes a folder whole or not at all, in place of the former one. */
function writeFolder(parent: string, name: string, write: (temporary: string) => void): void {
  const whole = path.join(parent, name), temporary = path.join(parent, `.${name}.${process.pid}.tmp`);
  fs.rmSync(temporary, { recursive: true, force: true });
  fs.mkdirSync(temporary, { recursive: true });
  write(temporary);
  fs.rmSync(whole, { recursive: true, force: true });
  fs.renameSync(temporary, whole);
}

function removeEntries(folder: string, pattern: RegExp): void {
  for (const entry of fs.readdirSync(folder)) if (pattern.test(entry)) fs.rmSync(path.join(folder, entry), { recursive: true, force: true });
}

/** Folder of the checkpoint in force, or undefined if there is none yet. */
export function findCheckpoint(folder: string, name: string): string | undefined {
  const pointer = path.join(folder, `${name}.json`);
  if (!fs.existsSync(pointer)) return undefined;
  const parsed = pointerSchema.safeParse(readJson(pointer));
  const found = parsed.success ? path.join(folder, parsed.data.folder) : '';
  if (!found || !fs.existsSync(path.join(found, 'state.json'))) {
    throw new Error(`${pointer} does not point to a checkpoint: delete ${folder} to start over.`);
  }
  return found;
}

function readJson(file: string): unknown {
  try { return JSON.parse(fs.readFileSync(file, 'utf8')); } catch (error) {
    throw new Error(`${file} cannot be read as JSON (${(error as Error).message}).`);
  }
}

export function loadWeights(checkpoint: string, model: Module): void { loadState(model, path.join(checkpoint, WEIGHTS)); }

/** Position and settings of a checkpoint. */
export function readState(checkpoint: string): TrainingState {
  const file = path.join(checkpoint, 'state.json');
  const parsed = stateSchema.safeParse(readJson(file));
  if (parsed.success) return parsed.data;
  throw new Error(`${file}: ${parsed.error.issues[0].path.join('.')}: ${parsed.error.issues[0].message}. Delete ${path.dirname(checkpoint)} to start over.`);
}

/** Puts weights, moments and position back; refuses a checkpoint of another configuration. */
export function loadCheckpoint(checkpoint: string, model: Module, optimizer: Adam, config: string): TrainingState {
  const state = readState(checkpoint);
  if (state.config !== config) throw new Error(`${checkpoint} was trained with other settings. ${settingsDifference(state.config, config)} Use another folder, or delete this one to start over.`);
  loadWeights(checkpoint, model);
  const source = SafetensorsFile.open(path.join(checkpoint, 'optimizer.safetensors'));
  const moments: { m: Tensor; v: Tensor }[] = [];
  try {
    for (const [i, name] of namesOf(model, optimizer).entries()) {
      const { shape } = optimizer.parameters[i];
      moments.push({ m: tf.tensor(source.read(`${name}.m`), shape), v: tf.tensor(source.read(`${name}.v`), shape) });
    }
    optimizer.restore(state.optimizerSteps, moments);
  } finally {
    source.close();
    tf.dispose(moments as never);
  }
  optimizer.learningRate = state.learningRate;
  return state;
}

function namesOf(model: Module, optimizer: Adam): string[] {
  const names = new Map([...model.namedParameters()].map(([name, parameter]) => [parameter, name]));
  return optimizer.parameters.map((parameter) => names.get(parameter) ?? (() => { throw new Error('The optimizer holds a parameter that the model does not.'); })());
}
