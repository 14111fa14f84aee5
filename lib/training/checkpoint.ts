/**
 * Checkpoints of a run: `<folder>/<name>-<step>/` with weights, optimizer moments and position, and `<folder>/<name>.json` that
 * points to it. A checkpoint is written whole under a temporary name; only then does the pointer move, so that a cut-off write
 * leaves the former one in force.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { tensorflowVersion, tf, type Tensor } from '../engine';
import type { Module } from '../nn';
import { libraryVersion } from '../project';
import { settingsDifference } from '../settings-difference';
import { writeWhole } from '../whole-file';
import { loadState, SafetensorsFile, saveState, writeSafetensors, type TensorToWrite } from '../weights';
import type { Adam } from './adam';

/** Of the files of a checkpoint; another number when they change, so that a checkpoint of other code is not taken for one of this. */
const FORMAT = 1;

const stateSchema = z.object({
  format: z.literal(FORMAT),
  /** What computed it: with other versions a run goes on, but not with the same bits. */
  versions: z.record(z.string(), z.string()),
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

type StoredState = z.infer<typeof stateSchema>;
/** Where a run stands. */
export type TrainingState = Omit<StoredState, 'format' | 'versions'>;

const WEIGHTS = 'model.safetensors';

const pointerSchema = z.object({ folder: z.string().regex(/^[\w-]+$/) });

/** Names of what is beside the checkpoints in force while one is written, and stays if the process is killed. */
const TEMPORARY = /^(\.(last|best|epoch)-\d+(-again)?|(last|best)\.json|history\.jsonl)\.\d+\.tmp$/;

const writeJson = (file: string, value: unknown): void => writeWhole(file, `${JSON.stringify(value, null, 2)}\n`);

const versions = (): Record<string, string> => ({ captioning: libraryVersion, TensorFlow: tensorflowVersion() });

export function saveCheckpoint(folder: string, name: string, model: Module, optimizer: Adam, state: TrainingState): void {
  const plain = `${name}-${state.step}`, pointer = path.join(folder, `${name}.json`);
  // The checkpoint in force is never the one that is replaced.
  const target = fs.existsSync(pointer) && pointerSchema.safeParse(readJson(pointer)).data?.folder === plain ? `${plain}-again` : plain;
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
    const stored: StoredState = { ...state, format: FORMAT, versions: versions() };
    writeJson(path.join(temporary, 'state.json'), stored);
  });
  writeJson(pointer, { folder: target });
  removeEntries(folder, new RegExp(`^(?!${target}$)${name}-\\d+(-again)?$`));
}

/** Removes what a killed run left half written. */
export const removeTemporaries = (folder: string): void => removeEntries(folder, TEMPORARY);

/** Removes all that is in a run's folder but `kept`; what points to checkpoints first, so that no cut leaves it pointing to nothing. */
export function clearRun(folder: string, kept: string): void {
  removeEntries(folder, /^(last|best)\.json$/);
  for (const entry of fs.readdirSync(folder)) if (entry !== kept) fs.rmSync(path.join(folder, entry), { recursive: true, force: true });
}

/** Keeps the weights of an epoch in `<folder>/epoch-<number>/`, where later checkpoints leave them. */
export function keepEpoch(folder: string, epoch: number, model: Module): void {
  writeFolder(folder, `epoch-${epoch}`, (temporary) => saveState(model, path.join(temporary, WEIGHTS)));
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
  try {
    write(temporary);
    fs.rmSync(whole, { recursive: true, force: true });
    fs.renameSync(temporary, whole);
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
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

/** Position and settings of a checkpoint, and what computed it. */
export function readState(checkpoint: string): StoredState {
  const file = path.join(checkpoint, 'state.json');
  // Before formats were numbered, the first one's files were written without these two.
  const stored: unknown = { format: FORMAT, versions: {}, ...(readJson(file) as object) };
  const { format } = stored as { format: unknown };
  if (format !== FORMAT) {
    const found = `checkpoints of format ${JSON.stringify(format)} there, ${FORMAT} now`;
    throw new Error(`${file} was written by another version of this library (${found}). Go on with that version, or delete ${path.dirname(checkpoint)} to start over.`);
  }
  const parsed = stateSchema.safeParse(stored);
  if (parsed.success) return parsed.data;
  throw new Error(`${file}: ${parsed.error.issues[0].path.join('.')}: ${parsed.error.issues[0].message}. Delete ${path.dirname(checkpoint)} to start over.`);
}

/** Puts weights, moments and position back; refuses a checkpoint of another configuration, and says when other code computed it. */
export function loadCheckpoint(checkpoint: string, model: Module, optimizer: Adam, config: string): TrainingState {
  const { format, versions: of, ...state } = readState(checkpoint);
  if (state.config !== config) {
    const remedy = 'Use another folder, or delete this one to start over.';
    throw new Error(`${checkpoint} was trained with other settings. ${settingsDifference(state.config, config)} ${remedy}`);
  }
  const [there, now] = [of, versions()].map((each) => JSON.stringify(each));
  if (there !== '{}' && there !== now) {
    console.warn(`${checkpoint} was computed by other versions: ${settingsDifference(there, now)} The run goes on, but not with the bits of an uninterrupted one.`);
  }
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
