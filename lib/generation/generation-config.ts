/** generation_config.json of a checkpoint: its special ids and how it generates unless told otherwise. */
import { z } from 'zod';
import { readable } from '../excerpt';
import { checkGenerationOptions, generationDefaults, generationOptionNames, mergeGenerationOptions,
  type GenerationOptions } from './generation-options';
import type { Prompt } from './step-decoder';

export interface GenerationConfig extends GenerationOptions {
  bosTokenId?: number | null;
  eosTokenId?: number | readonly number[] | null;
  padTokenId?: number | null;
  /** First id of the text, for models with an encoder. */
  decoderStartTokenId?: number | null;
}

const id = z.int().min(0).nullable();
const special = z.object({
  bosTokenId: id, eosTokenId: z.union([id, z.array(z.int().min(0))]), padTokenId: id, decoderStartTokenId: id,
}).partial();
const specialKeys = Object.keys(special.shape);

const camelCase = (key: string): string => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Every key that counts, as the file spells it. */
export const generationConfigKeys: ReadonlySet<string> = new Set([...specialKeys, ...generationOptionNames].map(snakeCase));

/** Keys that say nothing about which tokens come. */
const neutral = new Set(['transformers_version', '_from_model_config', 'use_cache', 'output_attentions', 'output_hidden_states',
  'output_scores', 'output_logits', 'return_dict_in_generate', 'cache_implementation', 'low_memory', 'is_assistant', '_commit_hash']);

/** What transformers writes for options that are off. */
const off: Record<string, unknown> = {
  typical_p: 1, epsilon_cutoff: 0, eta_cutoff: 0, encoder_repetition_penalty: 1, encoder_no_repeat_ngram_size: 0, guidance_scale: 1,
  renormalize_logits: false, remove_invalid_values: false, token_healing: false,
};

/** @throws naming `file` where a key is malformed, or asks for something that generation here does not do */
export function parseGenerationConfig(json: unknown, file = 'generation_config.json'): GenerationConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error(`${file}: expected an object.`);
  const config: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    if (value === null || neutral.has(key) || (key in off && off[key] === value) || (Array.isArray(value) && value.length === 0)) continue;
    config[camelCase(key)] = value;
  }
  const ids = Object.fromEntries(Object.entries(config).filter(([key]) => specialKeys.includes(key)));
  const options = Object.fromEntries(Object.entries(config).filter(([key]) => !specialKeys.includes(key))) as GenerationOptions;
  const parsed = special.safeParse(ids);
  if (!parsed.success) throw new Error(`${file}: ${snakeCase(parsed.error.issues[0].path.join('.'))}: ${parsed.error.issues[0].message}.`);
  // transformers writes options that another one switches off, and takes the newer of two lengths.
  const own = mergeGenerationOptions(options);
  if ((own.numBeams ?? 1) === 1 && !own.doSample) delete own.numReturnSequences;
  if (own.numBeamGroups === 1) { delete own.numBeamGroups; delete own.diversityPenalty; }
  try { checkGenerationOptions(own); } catch (error) { throw new Error(`${file}: ${readable((error as Error).message)}`); }
  return { ...parsed.data, ...own };
}

/** The keys of generation_config.json, defaults left out. */
export function formatGenerationConfig(config: GenerationConfig): Record<string, unknown> {
  const { seed: _, ...stored } = config; // transformers draws from PyTorch's global generator
  return Object.fromEntries(Object.entries(stored).filter(([key, value]) => value !== undefined && value !== null
    && value !== (generationDefaults as Record<string, unknown>)[key]).map(([key, value]) => [snakeCase(key), value]));
}

export interface ResolvedGeneration { ids: Pick<Prompt, 'eosTokenId' | 'padTokenId'>; options: GenerationOptions }

/** A model's configuration under a call's, apart into what a prompt and what the search needs. */
export function resolveGeneration(defaults: GenerationConfig, given: GenerationConfig = {}): ResolvedGeneration {
  const { bosTokenId, eosTokenId, padTokenId, decoderStartTokenId, ...own } = defaults;
  const { bosTokenId: _, eosTokenId: end, padTokenId: pad, decoderStartTokenId: __, ...options } = given;
  return {
    ids: { eosTokenId: (end === undefined ? eosTokenId : end) ?? null, padTokenId: (pad === undefined ? padTokenId : pad) ?? null },
    options: mergeGenerationOptions(own, options),
  };
}
