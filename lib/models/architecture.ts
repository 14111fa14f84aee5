/** What ties a published checkpoint's config.json to a network here; the entries stand in ./architectures. */
import type { z } from 'zod';
import type { Random } from '../engine';
import { readable } from '../excerpt';
import type { Module } from '../nn';
import type { LoadOptions, SaveOptions, WeightSource } from '../weights';
import type { ConfigJson } from './config-json';

export interface Architecture<M extends Module = Module, C = unknown> {
  /** What config.json says in `architectures` (transformers' class) or `architecture` (timm's model). */
  readonly names: readonly string[];
  /** config.json's `model_type`; null for timm's, which have none. */
  readonly modelType: string | null;
  readonly model: new (...args: never[]) => M;
  /** Of config.json in camelCase. Options that would change the result and are not supported are refused here. */
  readonly schema: z.ZodType<C>;
  /** An untrained network; `stored` are the names in the checkpoint's file, for parts that only some files have (poolers). */
  build(config: C, random: Random, stored: ReadonlySet<string>): M;
  /** How names in files become the module's. */
  readonly load?: LoadOptions;
  /** Shows weights with other names or divided tensors as the module's; for layouts that a rename cannot express. */
  adapt?(source: WeightSource): WeightSource;
  /** The keys of config.json, in camelCase, that describe the model. */
  config(model: M): object;
  /** How the module's names become the file's. */
  save?(model: M): SaveOptions;
}

/** An entry with its types checked and then forgotten, as the list needs it. */
export const architecture = <M extends Module, C>(entry: Architecture<M, C>): Architecture => entry as unknown as Architecture;

/** The name that a config.json gives its network. */
export function architectureName(json: ConfigJson): string | undefined {
  const named = Array.isArray(json.architectures) ? json.architectures[0] : json.architecture;
  return typeof named === 'string' ? named : undefined;
}

/** The entry for a config.json; with `as`, the one that builds that class from such a checkpoint. */
export function findArchitecture(entries: readonly Architecture[], json: ConfigJson, file: string, as?: Architecture['model']): Architecture {
  const name = architectureName(json), type = typeof json.model_type === 'string' ? json.model_type : null;
  const known = [...new Set(entries.flatMap((entry) => entry.names))].sort().join(', ');
  const candidates = entries.filter((entry) => !as || entry.model === as);
  const found = candidates.find((entry) => name !== undefined && entry.names.includes(name)) ?? candidates.find((entry) => type !== null && entry.modelType === type && (as || name === undefined));
  if (found) return found;
  const described = readable(name ?? type ?? '');
  if (!described) throw new Error(`${file} names neither architectures, architecture nor model_type: expected one of ${known}.`);
  throw new Error(as ? `${file} describes ${described}, from which no ${as.name} can be built.` : `${file} describes ${described}, which is not known here: expected one of ${known}.`);
}
