/** A checkpoint folder as a whole: `load` reads network, picture preparation, tokenizer and config; `save` writes the same layout. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Random } from '../engine';
import type { ImageProcessor } from '../images';
import type { Module } from '../nn';
import { Tokenizer } from '../tokenizers';
import { hasWeights, loadState, openWeights, resolveCheckpoint, saveState, type SaveOptions } from '../weights';
import { writeWhole } from '../whole-file';
import { architectureName, findArchitecture, type Architecture } from './architecture';
import { architectures } from './architectures';
import { buildToFit } from './build-to-fit';
import { generationFile, generationJson, isGenerative, readGenerationConfig } from './generative';
import { readProcessor, type ProcessorOf } from './processor';
import { formatConfigJson, parseConfig, readJsonObject, toSnakeCase, type ConfigJson } from './config-json';

/** What a checkpoint folder holds; null is a part that the folder has no files of. */
export interface Checkpoint<M extends Module = Module> {
  model: M | null;
  /** What prepares the pictures, and for SmolVLM the texts too (null there where the folder has no tokenizer). */
  processor: ProcessorOf<M> | null;
  tokenizer: Tokenizer | null;
  /** config.json as it stands in the file. */
  config: ConfigJson | null;
}

export interface LoadCheckpointOptions<M extends Module = Module> {
  /** Build this class from the checkpoint instead of the one it was saved from: `BertForSequenceClassification` from a masked-word BERT. */
  as?: new (...args: never[]) => M;
  /** Wins over config.json, in camelCase: `{ numLabels: 2 }`, `{ addCrossAttention: true }`. */
  config?: object;
  /** false: new parts of the network may be missing from the file (they start at random) and its old head may be left over; default true. */
  strict?: boolean;
  /** Where new parts and dropout get their numbers from. */
  random?: Random;
  /** Where a load that is not strict says what it did not find or not use; default console.warn. */
  warn?: (message: string) => void;
}

/**
 * Reads a checkpoint: a folder, or a name that `resolveCheckpoint` understands. The network is in evaluation mode.
 *
 * @throws Error naming the file and key when something is damaged, does not fit, or is not supported; nothing stays in memory.
 */
export function load<M extends Module>(nameOrFolder: string, options: LoadCheckpointOptions<M> & { as: new (...args: never[]) => M }): Checkpoint<M> & { model: M };
export function load<M extends Module = Module>(nameOrFolder: string, options?: LoadCheckpointOptions<M>): Checkpoint<M>;
export function load<M extends Module>(nameOrFolder: string, options: LoadCheckpointOptions<M> = {}): Checkpoint<M> {
  const folder = resolveCheckpoint(nameOrFolder);
  const config = readJsonObject(folder, 'config.json');
  const tokenizer = Tokenizer.isIn(folder) ? Tokenizer.fromPretrained(folder) : null;
  const entry = config && (hasWeights(folder) || options.as) ? findArchitecture(architectures, config, path.join(folder, 'config.json'), options.as) : null;
  const processor = readProcessor(folder, config, tokenizer) as ProcessorOf<M> | null;
  if (options.as && !entry) throw new Error(`${folder} has no config.json: expected one that describes ${options.as.name}.`);
  const model = entry && (loadModel(entry, folder, config!, options) as M);
  if (!config && !tokenizer && !processor) throw new Error(`${folder} is no checkpoint: it has neither config.json nor a tokenizer nor preprocessor_config.json.`);
  return { model, processor, tokenizer, config };
}

function loadModel(entry: Architecture, folder: string, json: ConfigJson, { config, strict = true, random = new Random(0), warn = console.warn }: LoadCheckpointOptions): Module {
  const settings = parseConfig({ ...json, ...toSnakeCase(config ?? {}) }, entry.schema, path.join(folder, 'config.json'));
  const weights = openWeights(folder);
  let model: Module | undefined;
  try {
    const source = entry.adapt?.(weights) ?? weights;
    model = buildToFit(source, path.join(folder, 'config.json'), () => entry.build(settings, random, new Set(source.tensors.keys())));
    const { missing, unexpected } = loadState(model, source, { ...entry.load, strict, warn });
    if (missing.length) warn(`${folder}: not in the file, and new: ${missing.join(', ')}.`);
    if (unexpected.length) warn(`${folder}: in the file, and not used: ${unexpected.join(', ')}.`);
    if (isGenerative(model)) model.generationConfig = readGenerationConfig(folder, json);
    return model.eval();
  } catch (error) {
    model?.dispose();
    throw error;
  } finally {
    weights.close();
  }
}

/** Any parts of a checkpoint. */
export type CheckpointToSave = Partial<Omit<Checkpoint, 'processor'>> & { processor?: Pick<ImageProcessor, 'save'> | null };
export type SaveCheckpointOptions = Pick<SaveOptions, 'half'>;

/**
 * Writes the layout that `load` reads, and Python's transformers or timm where the architecture exists there: config.json (keys of `config`
 * that do not describe the network are kept), generation_config.json, model.safetensors, preprocessor_config.json, the tokenizer's files. All files are written to a
 * folder beside and take their places at the end, so that a cut leaves the former checkpoint.
 */
export function save(folder: string, { model, processor, tokenizer, config }: CheckpointToSave, options: SaveCheckpointOptions = {}): void {
  const temporary = `${path.resolve(folder)}.${process.pid}.tmp`;
  fs.rmSync(temporary, { recursive: true, force: true });
  fs.mkdirSync(temporary, { recursive: true });
  try {
    let json = config ?? null;
    if (model) {
      const named = json && architectureName(json);
      const entries = architectures.filter((one) => model.constructor === one.model);
      const entry = entries.find((one) => named && one.names.includes(named)) ?? entries[0];
      if (!entry) throw new Error(`${model.constructor.name} is none of the architectures with a checkpoint layout: use saveState for its weights alone.`);
      json = describe(entry, model, json);
      saveState(model, path.join(temporary, 'model.safetensors'), { ...entry.save?.(model), ...options });
    }
    const generation = model && isGenerative(model) ? generationJson(model, json!) : null;
    if (generation) writeWhole(path.join(temporary, generationFile), `${JSON.stringify(generation, null, 2)}\n`);
    if (json) writeWhole(path.join(temporary, 'config.json'), formatConfigJson(json));
    processor?.save(temporary);
    tokenizer?.save(temporary);
    fs.mkdirSync(folder, { recursive: true });
    for (const name of fs.readdirSync(temporary)) fs.renameSync(path.join(temporary, name), path.join(folder, name));
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** config.json for a model: what it was loaded with, under what it now is. */
function describe(entry: Architecture, model: Module, former: ConfigJson | null): ConfigJson {
  const own = toSnakeCase(entry.config(model));
  const labels = former?.id2label as object | undefined, ownLabels = own.id2label as object | undefined;
  // Parts of a model (encoder, decoder) have configurations of their own.
  const parts = Object.entries(own).filter(([key, value]) => isObject(value) && isObject(former?.[key]) && key !== 'id2label');
  return {
    ...former, ...own, ...Object.fromEntries(parts.map(([key, value]) => [key, { ...former![key] as object, ...value as object }])),
    ...(entry.names.includes(former?.architecture as string) ? { architecture: former!.architecture } : {}),
    ...(entry.modelType ? { architectures: [entry.names[0]], model_type: entry.modelType } : {}),
    // Names of classes survive as long as their number does.
    ...(labels && ownLabels && Object.keys(labels).length === Object.keys(ownLabels).length ? { id2label: labels } : {}),
  };
}
