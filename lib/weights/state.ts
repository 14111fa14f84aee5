import type { Module } from '../nn';
import { openWeights } from './open-weights';
import { writeSafetensors, type TensorToWrite, type WriteOptions } from './safetensors-writer';
import { isFloating, WeightsError } from './stored-dtype';
import type { WeightSource } from './weight-source';

const list = (names: string[]) => `${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`;

export interface LoadOptions {
  /** The module's name for a name in the file. */
  rename?: (name: string) => string;
  /** Names in the file (after renaming) that the module deliberately has no place for. */
  ignore?: RegExp;
  /** Where it is said that loaded weights hold NaN; default console.warn. */
  warn?: (message: string) => void;
  /**
   * What stands before the names of the network inside a head's module (`bert.`): a file of the bare network fits the module with a head
   * and the other way round, as in transformers.
   */
  prefix?: string;
  /** Names in the file (after renaming) that are copies of another tensor of the file; one that differs from it is an error. */
  tied?: Readonly<Record<string, string>>;
  /** false: tensors may be missing (they keep their values) and left over; both are reported. Shapes and types still have to fit. */
  strict?: boolean;
}

/** What a load that is not strict did not find or not use. */
export interface LoadReport { missing: string[]; unexpected: string[] }

/**
 * Loads every parameter and buffer of the module from weights in any format of `openWeights`: a file, a checkpoint folder, or a source that
 * is open already (and stays so). Strict: each tensor used once, every shape equal, floating values, nothing missing or left over; otherwise
 * nothing is loaded and the error lists the names. Weights that are NaN are loaded, with a warning. `strict: false` for a network with a new head.
 */
export function loadState(module: Module, from: string | WeightSource, options: LoadOptions = {}): LoadReport {
  const source = typeof from === 'string' ? openWeights(from) : from;
  try { return load(module, source, options); } finally { if (source !== from) source.close(); }
}

function load(module: Module, source: WeightSource, options: LoadOptions): LoadReport {
  const { rename = (name: string) => name, ignore = /num_batches_tracked$/, warn = console.warn, prefix, tied = {}, strict = true } = options;
  const wanted = new Map(module.namedParameters());
  const placeOf = (stored: string): string => {
    const name = rename(stored);
    if (!prefix || wanted.has(name)) return name;
    if (wanted.has(prefix + name)) return prefix + name;
    return name.startsWith(prefix) && wanted.has(name.slice(prefix.length)) ? name.slice(prefix.length) : name;
  };
  const ignored = new RegExp(ignore, ignore.flags.replace(/[gy]/g, ''));
  const found = new Map<string, string>(), copies = new Map<string, string>();
  const unexpected: string[] = [], repeated: string[] = [];
  for (const stored of source.tensors.keys()) {
    const name = placeOf(stored);
    const former = found.get(name);
    if (former !== undefined) repeated.push(`${former} and ${stored} are both ${name}`);
    else if (wanted.has(name)) found.set(name, stored);
    else if (Object.hasOwn(tied, name)) copies.set(stored, tied[name]);
    else if (!ignored.test(name)) unexpected.push(stored);
  }
  const missing = [...wanted.keys()].filter((name) => !found.has(name));
  const pairs = [...found].map(([name, stored]) => ({ name, stored, parameter: wanted.get(name)!, tensor: source.tensors.get(stored)! }));
  const misshaped = pairs.filter(({ parameter, tensor }) => String(parameter.checkpointShape) !== String(tensor.shape))
    .map(({ stored, parameter, tensor }) => `${stored} is [${tensor.shape}] instead of [${parameter.checkpointShape}]`);
  const mistyped = pairs.filter(({ tensor }) => !isFloating(tensor.dtype))
    .map(({ stored, tensor }) => `${stored} is ${tensor.dtype} instead of F32, F16, BF16 or F64`);
  const untied = [...copies].filter(([stored, name]) => found.has(name) && !sameValues(source, stored, found.get(name)!))
    .map(([stored, name]) => `${stored} differs from ${found.get(name)!}, which it shares its values with here`);
  const problems = [
    ...(strict && missing.length ? [`missing: ${list(missing)}`] : []),
    ...(strict && unexpected.length ? [`unexpected: ${list(unexpected)}`] : []),
    ...(untied.length ? [`not tied: ${list(untied)}`] : []),
    ...(repeated.length ? [`repeated: ${list(repeated)}`] : []),
    ...(misshaped.length ? [`wrong shape: ${list(misshaped)}`] : []),
    ...(mistyped.length ? [`wrong dtype: ${list(mistyped)}`] : []),
  ];
  if (problems.length) {
    throw new WeightsError(
      `${source.file} does not fit ${module.constructor.name}; ${problems.join('; ')}. Check that config.json and the weights belong together.`);
  }
  const notNumbers: string[] = [];
  for (const { stored, parameter } of pairs) {
    const values = source.read(stored);
    if (values.some(Number.isNaN)) notNumbers.push(stored);
    parameter.load(values);
  }
  if (notNumbers.length) warn(`${source.file}: weights are NaN in ${list(notNumbers)}; results will be NaN too. Download or train them again.`);
  return { missing, unexpected };
}

function sameValues(source: WeightSource, a: string, b: string): boolean {
  if (String(source.tensors.get(a)!.shape) !== String(source.tensors.get(b)!.shape)) return false;
  const [first, second] = [source.read(a), source.read(b)];
  return first.every((value, i) => Object.is(value, second[i]) || value === second[i]);
}

/** All parameters and buffers in checkpoint layout, under the module's names or renamed; values are fetched when asked for. */
export function stateOf(module: Module, rename: (name: string) => string = (name) => name): Map<string, TensorToWrite> {
  return new Map([...module.namedParameters()].map(([name, parameter]): [string, TensorToWrite] =>
    [rename(name), { shape: parameter.checkpointShape, dtype: 'F32', get data() { return parameter.save(); } }]));
}

export interface SaveOptions extends WriteOptions {
  /** The file's name for a name of the module. */
  rename?: (name: string) => string;
  /** Tensors to store that the module does not hold. */
  extra?: ReadonlyMap<string, TensorToWrite>;
}

/** Saves a module as safetensors. */
export function saveState(module: Module, file: string, { rename, extra = new Map(), ...options }: SaveOptions = {}): void {
  writeSafetensors(file, new Map([...stateOf(module, rename), ...extra]), options);
}

/** The counter of batches that PyTorch's batch norms store beside their statistics, as zero: with it strict readers there miss nothing. */
export function batchCounters(module: Module, rename: (name: string) => string = (name) => name): Map<string, TensorToWrite> {
  return new Map([...module.namedParameters()].map(([name]) => rename(name)).filter((name) => name.endsWith('.running_mean'))
    .map((name) => [name.replace(/running_mean$/, 'num_batches_tracked'), { shape: [], data: BigInt64Array.of(0n) }]));
}
