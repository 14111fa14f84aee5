/** Models that generate text, and the file of a checkpoint that says how. */
import * as path from 'node:path';
import { formatGenerationConfig, generationConfigKeys, parseGenerationConfig, type GenerationConfig } from '../generation';
import type { Module } from '../nn';
import { readJsonObject, type ConfigJson } from './config-json';

export interface Generative { generationConfig: GenerationConfig }

export const isGenerative = (model: Module): model is Module & Generative => 'generationConfig' in model;

export const generationFile = 'generation_config.json';

/** What config.json says about generation: all that older checkpoints have. The special ids of a decoder inside fill gaps. */
export function generationOfConfig(config: ConfigJson, file = 'config.json'): GenerationConfig {
  const parts = [config.text_config, config.decoder].filter((part): part is ConfigJson => typeof part === 'object' && part !== null);
  // Parts' own options (of transformers 4, which wrote them all) are not for the whole; its special ids are.
  const ids = parts.flatMap((part) => Object.entries(part).filter(([key, value]) => /_token_id$/.test(key) && value !== null));
  const own = Object.entries(config).filter(([, value]) => value !== null && value !== undefined);
  return parseGenerationConfig(Object.fromEntries([...ids, ...own].filter(([key]) => generationConfigKeys.has(key))), file);
}

/** How the model in a checkpoint folder generates. @throws naming the file and key where that cannot be done here */
export function readGenerationConfig(folder: string, config: ConfigJson): GenerationConfig {
  const json = readJsonObject(folder, generationFile);
  if (json) return parseGenerationConfig(json, path.join(folder, generationFile));
  return generationOfConfig(config, path.join(folder, 'config.json'));
}

/** generation_config.json of a model, or null where config.json says as much. */
export function generationJson({ generationConfig }: Generative, config: ConfigJson): Record<string, unknown> | null {
  const json = formatGenerationConfig(generationConfig), sorted = (object: object) => JSON.stringify(Object.entries(object).sort());
  return sorted(json) === sorted(formatGenerationConfig(generationOfConfig(config))) ? null : json;
}
