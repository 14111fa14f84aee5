/** Options of `generate` under Hugging Face's names (transformers GenerationConfig), in camelCase and with their meanings and defaults. */
import { z } from 'zod';

export interface GenerationOptions {
  /** 1 (default): the likeliest token at each step, or a drawn one; more: beam search. */
  numBeams?: number;
  /** Groups of beams that avoid each other's tokens (Vijayakumar et al. 2018, https://arxiv.org/abs/1610.02424); needs diversityPenalty. */
  numBeamGroups?: number;
  /** Taken off a token's log-probability for each beam of an earlier group that chose it at the same step. */
  diversityPenalty?: number;
  /** Draw tokens by their probabilities. */
  doSample?: boolean;
  /** Divides the logits: below 1 makes likely tokens likelier. */
  temperature?: number;
  /** Draw from the k likeliest tokens only; 50 unless given, 0 for all. */
  topK?: number;
  /** Draw from the fewest tokens whose probabilities reach this sum. */
  topP?: number;
  /** Of the drawing; 0 unless given. */
  seed?: number;
  /** Most tokens to generate, the end token included; 20 unless given. */
  maxNewTokens?: number;
  /** The same with the prompt counted; only one of the two may be given. */
  maxLength?: number;
  /** No end token before the text has this length, the prompt counted. */
  minLength?: number;
  /** No end token before so many others were generated. */
  minNewTokens?: number;
  /** Hypotheses compare by log-probability / length^lengthPenalty: above 0 favours longer ones. */
  lengthPenalty?: number;
  /** false: stop when no running beam can still win; true: when there are numBeams finished; 'never': search every length. */
  earlyStopping?: boolean | 'never';
  /** No sequence of so many tokens occurs twice, the prompt and its padding counted. */
  noRepeatNgramSize?: number;
  /** Above 1: tokens that have occurred, in the prompt too, become less likely. */
  repetitionPenalty?: number;
  /** The token after a prompt of one token. */
  forcedBosTokenId?: number;
  /** The token at the maximum length. */
  forcedEosTokenId?: number | readonly number[];
  /** Ids that are never generated. */
  suppressTokens?: readonly number[];
  /** Sequences returned an image: at most numBeams, any number with doSample. */
  numReturnSequences?: number;
}

const whole = (least: number) => z.int().min(least);
const id = whole(0);

const schema = z.strictObject({
  numBeams: whole(1), numBeamGroups: whole(1), diversityPenalty: z.number().min(0),
  doSample: z.boolean(), temperature: z.number().positive(), topK: whole(0), topP: z.number().gt(0).max(1), seed: z.int(),
  maxNewTokens: whole(1), maxLength: whole(1), minLength: whole(0), minNewTokens: whole(0),
  lengthPenalty: z.number(), earlyStopping: z.union([z.boolean(), z.literal('never', 'expected true, false or "never"')]),
  noRepeatNgramSize: whole(0), repetitionPenalty: z.number().positive(),
  forcedBosTokenId: id, forcedEosTokenId: z.union([id, z.array(id).min(1)]), suppressTokens: z.array(id), numReturnSequences: whole(1),
} satisfies Record<keyof GenerationOptions, z.ZodType>).partial();

export const generationOptionNames: readonly string[] = Object.keys(schema.shape);

/** What holds unless an option says otherwise; transformers' defaults. */
export const generationDefaults = {
  numBeams: 1, numBeamGroups: 1, diversityPenalty: 0, doSample: false, temperature: 1, topK: 50, topP: 1, seed: 0, lengthPenalty: 1,
  earlyStopping: false as boolean | 'never', noRepeatNgramSize: 0, repetitionPenalty: 1, suppressTokens: [] as readonly number[],
  numReturnSequences: 1,
};

export type CheckedOptions = GenerationOptions & typeof generationDefaults;

const sampling = ['temperature', 'topK', 'topP', 'seed'] as const;

/** What contradicts itself, in words that say what to change; undefined if nothing does. */
function contradiction(given: GenerationOptions, all: CheckedOptions): string | undefined {
  const { numBeams, numBeamGroups, diversityPenalty, doSample, numReturnSequences } = all;
  const { maxNewTokens, maxLength, minNewTokens = 0, minLength = 0 } = given;
  if (maxNewTokens !== undefined && maxLength !== undefined) return 'maxNewTokens and maxLength both limit the length: give one of them.';
  if (minNewTokens > (maxNewTokens ?? Infinity)) return `minNewTokens is ${minNewTokens}, more than maxNewTokens ${maxNewTokens}.`;
  if (minLength > (maxLength ?? Infinity)) return `minLength is ${minLength}, more than maxLength ${maxLength}.`;
  const idle = doSample ? undefined : sampling.find((key) => given[key] !== undefined && given[key] !== generationDefaults[key]);
  if (idle) return `${idle} is ${given[idle]}, but nothing is drawn: give doSample true, or leave ${idle} out.`;
  if (numBeams % numBeamGroups !== 0) return `numBeams ${numBeams} does not divide into numBeamGroups ${numBeamGroups}.`;
  if (numBeamGroups > 1 && diversityPenalty === 0) return 'numBeamGroups needs a diversityPenalty above 0, or all groups find the same.';
  if (numBeamGroups === 1 && diversityPenalty > 0) return `diversityPenalty ${diversityPenalty} is for several groups: give numBeamGroups.`;
  if (numBeamGroups > 1 && doSample) return 'groups of beams cannot draw tokens: leave doSample or numBeamGroups out.';
  if (numBeams > 1 && numReturnSequences > numBeams) {
    return `numReturnSequences is ${numReturnSequences}, but there are ${numBeams} beams (numBeams).`;
  }
  if (numBeams === 1 && !doSample && numReturnSequences > 1) {
    return `numReturnSequences is ${numReturnSequences}, but one sequence is likeliest at each step: give numBeams, or doSample true.`;
  }
  const forced = [given.forcedBosTokenId ?? [], given.forcedEosTokenId ?? []].flat(2) as number[];
  const suppressed = forced.find((token) => all.suppressTokens.includes(token));
  if (suppressed !== undefined) return `id ${suppressed} is forced and in suppressTokens, too.`;
  return undefined;
}

/** The options with their defaults. @throws if one is unknown, out of its range or contradicts another, with its name */
export function checkGenerationOptions(options: GenerationOptions): CheckedOptions {
  const parsed = schema.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (issue.code === 'unrecognized_keys') {
      throw new Error(`Generation has no option ${issue.keys.join(', ')}: expected one of ${generationOptionNames.join(', ')}.`);
    }
    const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], options);
    const message = issue.message.replace(/^Invalid input: /, '').replace(/^Too /, 'too ');
    throw new Error(`The generation option ${issue.path.join('.')} is ${JSON.stringify(value) ?? value}: ${message}.`);
  }
  const given = Object.fromEntries(Object.entries(parsed.data).filter(([, value]) => value !== undefined)) as GenerationOptions;
  const all: CheckedOptions = { ...generationDefaults, ...given };
  const wrong = contradiction(given, all);
  if (wrong) throw new Error(`The generation options contradict each other: ${wrong}`);
  return all;
}

/**
 * A model's own defaults (its generation_config.json) under the options of a call: a length given by the call replaces the model's in
 * either form, and defaults that would contradict the call (drawing, groups, more sequences than beams) give way.
 */
export function mergeGenerationOptions(defaults: GenerationOptions, options: GenerationOptions = {}): GenerationOptions {
  const given = (key: keyof GenerationOptions) => options[key] !== undefined;
  const merged: GenerationOptions = { ...defaults };
  const drop = (...keys: (keyof GenerationOptions)[]) => { for (const key of keys) delete merged[key]; };
  if (given('maxNewTokens') || given('maxLength')) drop('maxNewTokens', 'maxLength');
  else if (defaults.maxNewTokens !== undefined) drop('maxLength');
  if (given('minNewTokens') || given('minLength')) drop('minNewTokens', 'minLength');
  if (!(options.doSample ?? defaults.doSample)) drop(...sampling);
  if (given('numBeams') || given('doSample') || given('numBeamGroups')) drop('numBeamGroups', 'diversityPenalty');
  if (given('numBeams') || given('doSample')) drop('numReturnSequences');
  for (const [key, value] of Object.entries(options)) if (value !== undefined) (merged as Record<string, unknown>)[key] = value;
  return merged;
}
