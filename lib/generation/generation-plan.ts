import { tf, type Tensor } from '../engine';
import { checkGenerationOptions, type CheckedOptions, type GenerationOptions } from './generation-options';
import { endTokensOf, logitsProcessors, type LogitsProcessor } from './logits-processors';
import type { DecoderStep, Prompt, StepDecoder } from './step-decoder';

/** A decoder, a prompt and options that were found to go together: what every search works from. */
export interface GenerationPlan {
  decoder: StepDecoder;
  options: CheckedOptions;
  prompts: readonly (readonly number[])[];
  promptLength: number;
  /** Left padding of each prompt. */
  padding: readonly number[];
  /** Length of the longest text allowed, prompt included. */
  maxLength: number;
  endTokens: readonly number[];
  padToken: number;
  processors: readonly LogitsProcessor[];
}

const isId = (id: unknown, size = Infinity): boolean => Number.isInteger(id) && (id as number) >= 0 && (id as number) < size;

function checkPrompt({ vocabSize }: StepDecoder, prompt: Prompt): void {
  const { promptIds, padding, padTokenId } = prompt;
  if (promptIds.length === 0) throw new Error('promptIds is empty: expected one row of token ids for each image or text.');
  const length = promptIds[0].length;
  for (const [row, ids] of promptIds.entries()) {
    if (ids.length === 0) throw new Error(`Row ${row} of promptIds is empty: a text begins with at least one token, a start token, say.`);
    if (ids.length !== length) {
      throw new Error(`Row ${row} of promptIds has ${ids.length} tokens, row 0 has ${length}: pad the shorter ones on the left.`);
    }
    const wrong = ids.find((id) => !isId(id));
    if (wrong !== undefined) throw new Error(`Row ${row} of promptIds holds ${wrong}: expected whole numbers from 0.`);
  }
  if (padding && (padding.length !== promptIds.length || padding.some((count) => !isId(count, length)))) {
    throw new Error(`padding is [${padding}]: expected how many tokens at the left of each of the ${promptIds.length} prompts are padding, `
      + `0 to ${length - 1}.`);
  }
  const noEnd = endTokensOf(prompt).find((id) => !isId(id, vocabSize));
  if (noEnd !== undefined) throw new Error(`eosTokenId names id ${noEnd}, the vocabulary has ${vocabSize}.`);
  if (padTokenId !== null && !isId(padTokenId)) throw new Error(`padTokenId is ${padTokenId}: expected a whole number from 0, or null.`);
}

/** @throws where the prompt, the options or both together make no sense, with the option's name */
export function planGeneration(decoder: StepDecoder, prompt: Prompt, given: GenerationOptions = {}): GenerationPlan {
  checkPrompt(decoder, prompt);
  const options = checkGenerationOptions(given);
  const { vocabSize, maxPositions = Infinity } = decoder;
  for (const key of ['forcedBosTokenId', 'forcedEosTokenId', 'suppressTokens'] as const) {
    const wrong = [options[key] ?? []].flat().find((id) => !isId(id, vocabSize));
    if (wrong !== undefined) throw new Error(`${key} names id ${wrong}, the vocabulary has ${vocabSize}.`);
  }
  const promptLength = prompt.promptIds[0].length;
  const { maxNewTokens, maxLength: limit, minLength = 0, minNewTokens = 0 } = options;
  if (promptLength > maxPositions) {
    throw new Error(`The prompt has ${promptLength} tokens, the model ${maxPositions} positions: shorten it.`);
  }
  // The last token of a text is not read again, so it needs no position.
  const wanted = maxNewTokens !== undefined ? promptLength + maxNewTokens : limit;
  if (wanted !== undefined && wanted > maxPositions + 1) {
    throw new Error(`Texts of up to ${wanted} tokens (${promptLength} of the prompt) are asked for, the model has ${maxPositions} `
      + `positions: lower ${limit === undefined ? 'maxNewTokens' : 'maxLength'}.`);
  }
  const maxLength = wanted ?? Math.max(promptLength + 1, Math.min(promptLength + 20, maxPositions));
  if (maxLength <= promptLength) {
    throw new Error(`maxLength is ${maxLength} and the prompt has ${promptLength} tokens already: raise it, or give maxNewTokens.`);
  }
  if (Math.max(minLength, promptLength + minNewTokens) > maxLength) {
    const least = minLength > maxLength ? `minLength ${minLength}` : `minNewTokens ${minNewTokens} after ${promptLength} of the prompt`;
    throw new Error(`${least} is more than the longest text allowed, ${maxLength} tokens.`);
  }
  const endTokens = endTokensOf(prompt);
  return {
    decoder, options, prompts: prompt.promptIds, promptLength, padding: prompt.padding ?? prompt.promptIds.map(() => 0),
    maxLength, endTokens, padToken: prompt.padTokenId ?? endTokens[0] ?? 0,
    processors: logitsProcessors(options, promptLength, maxLength, endTokens),
  };
}

/** The processors that act on texts of this length; none where tokens are suppressed and that is all: a mask in TensorFlow does it. */
export function actingProcessors({ processors, options }: GenerationPlan, length: number): readonly LogitsProcessor[] {
  const acting = processors.filter((processor) => processor.acts(length));
  return acting.length === 1 && options.suppressTokens.length > 0 ? [] : acting;
}

/** (1, vocabulary) with −∞ at the suppressed ids, to add to scores; undefined if there are none. The caller disposes it. */
export function suppressionMask({ decoder, options: { suppressTokens } }: GenerationPlan): Tensor | undefined {
  if (suppressTokens.length === 0) return undefined;
  const values = new Float32Array(decoder.vocabSize);
  for (const id of suppressTokens) values[id] = -Infinity;
  return tf.tensor2d(values, [1, decoder.vocabSize]);
}

/** One step whose result has the right shape. */
export function checkedStep(decoder: StepDecoder, ids: Int32Array, state: readonly Tensor[]): DecoderStep {
  const step = decoder.step(ids, state);
  const { shape } = step.logits;
  if (shape.length === 2 && shape[0] === ids.length && shape[1] === decoder.vocabSize) return step;
  tf.dispose([step.logits, ...step.state, ...(step.attention ? [step.attention] : [])]);
  throw new Error(`The decoder's logits have the shape [${shape}]: expected [${ids.length}, ${decoder.vocabSize}].`);
}

/** Every row as long as the longest. */
export function filled(rows: readonly (readonly number[])[], filling: number): number[][] {
  const longest = Math.max(...rows.map((row) => row.length));
  return rows.map((row) => [...row, ...new Array<number>(longest - row.length).fill(filling)]);
}
