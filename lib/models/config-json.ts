/** config.json of a checkpoint: Python's snake_case outside, camelCase inside, checked by a schema before a network is built from it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { readable } from '../excerpt';

export type ConfigJson = Record<string, unknown>;

/** Objects whose keys are names of their own, not options. */
const freeKeys = new Set(['id2label', 'label2id', 'task_specific_params', 'taskSpecificParams']);

function mapKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapKeys(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [rename(key), freeKeys.has(key) ? inner : mapKeys(inner, rename)]));
}

const camelCase = (key: string): string => key.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `hidden_size` → `hiddenSize`, at every depth. */
export const toCamelCase = (json: ConfigJson): ConfigJson => mapKeys(json, camelCase) as ConfigJson;
/** `hiddenSize` → `hidden_size`, at every depth. */
export const toSnakeCase = (config: object): ConfigJson => mapKeys(config, snakeCase) as ConfigJson;

/** Keys that Python's transformers takes as floats only: 1 must be written 1.0. */
const pythonFloats = ['initializer_range', 'initializer_factor', 'label_smoothing', 'logit_scale_init_value', 'layer_norm_eps',
  'layer_norm_epsilon', 'rms_norm_eps'];
const wholeFloat = new RegExp(`("(?:${pythonFloats.join('|')})": -?\\d+)(?=,?$)`, 'gm');

/** The text of a config.json, as Python reads it too. */
export const formatConfigJson = (json: ConfigJson): string => `${JSON.stringify(json, null, 2).replace(wholeFloat, '$1.0')}\n`;

/** A config as the schema (of camelCase keys) has it; other keys are left out. Errors name the file and the key as the file spells it. */
export function parseConfig<C>(json: ConfigJson, schema: z.ZodType<C>, file: string): C {
  const parsed = schema.safeParse(toCamelCase(json));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 3).map(({ path: at, message }) => `${at.map((key) => snakeCase(String(key))).join('.') || 'the whole'}: ${message}`);
  throw new Error(readable(`${file}: ${problems.join('; ')}.`));
}

/** A JSON object from the folder, or null where there is no such file. */
export function readJsonObject(folder: string, name: string): ConfigJson | null {
  const file = path.join(folder, name);
  if (!fs.existsSync(file)) return null;
  let json: unknown;
  try { json = JSON.parse(fs.readFileSync(file, 'utf8')); } catch (error) { throw new Error(`${file} is not JSON (${(error as Error).message}).`, { cause: error }); }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error(`${file}: expected a JSON object.`);
  if (nestsDeeper(json, DEEPEST)) throw new Error(`${file}: nested more than ${DEEPEST} deep, which no checkpoint's file is: download it again.`);
  return json as ConfigJson;
}

const DEEPEST = 50;
const nestsDeeper = (value: unknown, depth: number): boolean =>
  typeof value === 'object' && value !== null && (depth === 0 || Object.values(value).some((inner) => nestsDeeper(inner, depth - 1)));

/** A positive whole number: sizes and counts. Bounded, so that a damaged file is refused before memory is asked for. */
export const count = z.number().int().positive().max(1_000_000);
/** For `refine`: the width divides into the heads. */
export const headsDivide: [(config: { hiddenSize: number; numAttentionHeads: number }) => boolean, { path: string[]; message: string }] = [
  ({ hiddenSize, numAttentionHeads }) => hiddenSize % numAttentionHeads === 0,
  { path: ['numAttentionHeads'], message: 'hidden_size does not divide into so many heads' },
];
/** A dropout probability; 1 would drop everything. */
export const probability = z.number().min(0).lt(1);
/** `num_labels`, or the number of `id2label`; 2 where a config names neither, as transformers. */
export const labels = { numLabels: count.optional(), id2label: z.record(z.string(), z.string()).optional() };
export const labelCount = ({ numLabels, id2label }: { numLabels?: number; id2label?: Record<string, string> }): number =>
  numLabels ?? (id2label ? Object.keys(id2label).length : 2);
/** What a classifier says of its classes when it is saved. */
export const labelNames = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, i) => [i, `LABEL_${i}`]));
