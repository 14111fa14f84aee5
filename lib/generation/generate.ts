import { yieldToEventLoop } from '../engine';
import { beamSearch } from './beam';
import { diverseBeamSearch } from './diverse-beam';
import type { GenerationOptions } from './generation-options';
import { planGeneration, type GenerationPlan } from './generation-plan';
import { sample, type StepTokens } from './sample';
import type { GenerationResult, Prompt, StepDecoder } from './step-decoder';

function* search(plan: GenerationPlan): Generator<StepTokens | void, GenerationResult> {
  const { numBeams, numBeamGroups } = plan.options;
  const result = yield* numBeams === 1 ? sample(plan) : numBeamGroups > 1 ? diverseBeamSearch(plan) : beamSearch(plan);
  const { attentionShape } = plan.decoder;
  return attentionShape ? { ...result, attentionShape } : result;
}

/**
 * Texts that continue a prompt: greedy search, sampling, beam search (drawn beams, groups of beams), by transformers' rules.
 *
 * @param decoder made for this prompt; the caller disposes it
 * @throws where prompt and options make no sense, with the option's name; no tensor is left behind
 */
export function generate(decoder: StepDecoder, prompt: Prompt, options: GenerationOptions = {}): GenerationResult {
  const steps = search(planGeneration(decoder, prompt, options));
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** As `generate`, coming back to the event loop after every token. @throws the signal's reason when it is aborted */
export async function generateAsync(decoder: StepDecoder, prompt: Prompt, options: GenerationOptions = {},
  signal?: AbortSignal): Promise<GenerationResult> {
  const steps = search(planGeneration(decoder, prompt, options));
  try {
    for (;;) {
      signal?.throwIfAborted();
      const step = steps.next();
      if (step.done) return step.value;
      await yieldToEventLoop();
    }
  } finally {
    steps.return(undefined as never); // disposes the state if it was broken off
  }
}

/** Each step's tokens, a row each (null for one that has ended), and the whole result at the end; undefined if it was stopped early. */
export type TokenStream = AsyncGenerator<StepTokens, GenerationResult | undefined>;

/**
 * Tokens as they come, a row each (null for one that has ended), greedy or drawn; the returned value is the whole result, undefined if
 * `signal` ended the stream early. Breaking the loop off leaves no tensor behind.
 *
 *     for await (const [token] of streamTokens(decoder, prompt, { doSample: true }, signal)) show(tokenizer.decode([token]));
 */
export async function* streamTokens(decoder: StepDecoder, prompt: Prompt, options: GenerationOptions = {},
  signal?: AbortSignal): TokenStream {
  const plan = planGeneration(decoder, prompt, options);
  if (plan.options.numBeams > 1) {
    throw new Error('Beams are not known before their end, so they cannot be streamed: leave numBeams out, or use generateAsync.');
  }
  const steps = sample(plan);
  try {
    while (!signal?.aborted) {
      const step = steps.next();
      if (step.done) return step.value;
      yield step.value;
      await yieldToEventLoop();
    }
    return undefined;
  } finally {
    steps.return(undefined as never);
  }
}

/** A decoder that holds tensors, with what it was made for. */
export interface PreparedGeneration {
  decoder: StepDecoder & { dispose(): void };
  prompt: Prompt;
  options: GenerationOptions;
}

/** `generate`, and then the decoder is disposed. */
export function generateOnce({ decoder, prompt, options }: PreparedGeneration): GenerationResult {
  try { return generate(decoder, prompt, options); } finally { decoder.dispose(); }
}

/** `streamTokens`, and then (at the end, or when the loop is left) the decoder is disposed. */
export async function* streamOnce(prepare: () => PreparedGeneration, signal?: AbortSignal): TokenStream {
  const { decoder, prompt, options } = prepare();
  try { return yield* streamTokens(decoder, prompt, options, signal); } finally { decoder.dispose(); }
}
