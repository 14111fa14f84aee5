import type { Module } from '../nn';
import { SafetensorsFile, WeightsError, writeSafetensors, type TensorToWrite, type WriteOptions } from './safetensors';

const list = (names: string[]) => `${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`;

export interface LoadOptions {
  /** The module's name for a name in the file. */
  rename?: (name: string) => string;
  /** Names in the file (after renaming) that the module deliberately has no place for. */
  ignore?: RegExp;
}

/**
 * Loads every parameter and buffer of the module from a safetensors file. Strict: each tensor used once, every shape equal,
 * nothing missing or left over; otherwise nothing is loaded and the error lists the names.
 */
export function loadState(module: Module, file: string, { rename = (name) => name, ignore = /num_batches_tracked$/ }: LoadOptions = {}): void {
  const source = SafetensorsFile.open(file);
  try {
    const wanted = new Map(module.namedParameters());
    const found = new Map<string, string>();
    const unexpected: string[] = [];
    for (const stored of source.tensors.keys()) {
      const name = rename(stored);
      if (wanted.has(name) && !found.has(name)) found.set(name, stored);
      else if (!ignore.test(name)) unexpected.push(stored);
    }
    const missing = [...wanted.keys()].filter((name) => !found.has(name));
    const misshaped = [...found].filter(([name, stored]) => String(wanted.get(name)!.checkpointShape) !== String(source.tensors.get(stored)!.shape))
      .map(([name, stored]) => `${stored} is [${source.tensors.get(stored)!.shape}] instead of [${wanted.get(name)!.checkpointShape}]`);
    const problems = [
      ...(missing.length ? [`missing: ${list(missing)}`] : []),
      ...(unexpected.length ? [`unexpected: ${list(unexpected)}`] : []),
      ...(misshaped.length ? [`wrong shape: ${list(misshaped)}`] : []),
    ];
    if (problems.length) throw new WeightsError(`${file} does not fit ${module.constructor.name}; ${problems.join('; ')}. Check that config.json and the weights belong together.`);
    for (const [name, stored] of found) {
      const values = source.read(stored);
      if (values.some((v) => Number.isNaN(v))) console.warn(`${file}: tensor "${stored}" holds NaN.`);
      wanted.get(name)!.load(values);
    }
  } finally {
    source.close();
  }
}

/** All parameters and buffers in checkpoint layout, under the module's names or renamed. */
export function stateOf(module: Module, rename: (name: string) => string = (name) => name): Map<string, TensorToWrite> {
  return new Map([...module.namedParameters()].map(([name, p]) => [rename(name), { shape: p.checkpointShape, data: p.save() }]));
}

/** Saves a module as safetensors. */
export function saveState(module: Module, file: string, { rename, ...options }: WriteOptions & { rename?: (name: string) => string } = {}): void {
  writeSafetensors(file, stateOf(module, rename), options);
}
