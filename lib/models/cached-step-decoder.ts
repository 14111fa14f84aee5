/**
 * A language model token by token for lib/generation: keys and values of the text so far are the state of each row (beam), those of an
 * encoder stand once an image. For every model whose `forward` takes `pastKeyValues` and gives them back with `useCache`. Steps have the
 * same shapes while there is room in the cache, so that they can run as a graph.
 */
import { tf, type GraphFunction, type Tensor, type Tensor4D } from '../engine';
import type { Module } from '../nn';
import { repeatRows, resolveGeneration, type DecoderStep, type GenerationConfig, type PreparedGeneration, type Prompt } from '../generation';
import type { KeyValues } from './causal-language-model';
import { modelGraph } from './model-graph';

/** What is used of such a model. */
export interface CachedLanguageModel extends Pick<Module, 'namedParameters' | 'training'> {
  forward(inputs: CachedInputs): { logits: Tensor; pastKeyValues?: KeyValues[]; attentions?: Tensor[]; crossAttentions?: Tensor[] };
}

interface CachedInputs {
  inputIds: Tensor;
  attentionMask?: Tensor;
  positionIds?: Tensor;
  encoderAttentionMask?: Tensor;
  pastKeyValues: KeyValues[];
  useCache: boolean;
  logitsToKeep: number;
  outputAttentions: boolean;
}

/** Sizes of a model: `heads` of size `headSize` in the cache, `queryHeads` in the attention (as many unless given). */
export interface CacheShape {
  vocabSize: number;
  maxPositions: number;
  layers: number;
  heads: number;
  headSize: number;
  queryHeads?: number;
}

export interface CachedPrompt {
  promptIds: readonly (readonly number[])[];
  /** Left padding of each row. */
  padding?: readonly number[];
  /** Embeddings (images, tokens, width) of the prompt's tokens, where words alone do not make them (pictures); the caller keeps it. */
  promptEmbeds?: Tensor;
  /** Keys and values of an encoder's states for each layer, a row an image; disposed with the decoder. */
  cross?: readonly Required<Pick<KeyValues, 'crossKey' | 'crossValue'>>[];
  /** (images, S) */
  encoderAttentionMask?: Tensor;
  /** Each step gives its attention: to the encoder where there is one, [layers, heads, S], else to the text, [layers, heads, −1]. */
  outputAttentions?: boolean;
}

/** Positions by which the cache grows. */
const ROOM = 32;

/**
 * Steps of the same shapes before they run as a graph. To make one takes as long as three to five steps of a deep network without it; a
 * shallow one's caption or two are done sooner.
 */
const patience = (layers: number): number => Math.max(4, Math.ceil(48 / layers));

/** In the place of ids, for models whose prompts have `promptEmbeds`. */
const embedded = (inputsEmbeds: Tensor) => ({ inputsEmbeds }) as unknown as Pick<CachedInputs, 'inputIds'>;

interface StepInputs {
  read: Pick<CachedInputs, 'inputIds'>;
  place: Tensor;
  placed: Pick<CachedInputs, 'attentionMask' | 'positionIds' | 'encoderAttentionMask'>;
  cache: readonly Tensor[];
  cross?: CachedPrompt['cross'];
}

/** A flat cache, key and value of each layer in turn, as models take it. */
const pastOf = (cache: readonly Tensor[], cross: CachedPrompt['cross'], place?: Tensor): KeyValues[] =>
  Array.from({ length: cache.length / 2 }, (_, i) => ({ key: cache[2 * i], value: cache[2 * i + 1], place, ...cross?.[i] }));
const flatCache = (past: readonly KeyValues[]): Tensor[] => past.flatMap(({ key, value }) => [key, value]);

/** One step of a model of so many layers: logits (rows, vocabulary), the keys and values of every layer and, if wanted, the attention. */
function stepOf(model: CachedLanguageModel, layers: number, outputAttentions: boolean): GraphFunction<StepInputs> {
  const run = (model: CachedLanguageModel, { read, place, placed, cache, cross }: StepInputs): Tensor[] => tf.tidy(() => {
    const pastKeyValues = pastOf(cache, cross, place);
    const outputs = model.forward({ ...read, ...placed, pastKeyValues, useCache: true, logitsToKeep: 1, outputAttentions });
    const weights = (cross ? outputs.crossAttentions : outputs.attentions) ?? [];
    const looked = outputAttentions ? [tf.stack(weights.map((layer) => tf.squeeze(layer as Tensor4D, [2])), 1)] : [];
    return [tf.squeeze(outputs.logits, [1]), ...flatCache(outputs.pastKeyValues!), ...looked];
  });
  return modelGraph(model, `step ${outputAttentions}`, run, patience(layers));
}

/** Dispose it after the search. */
export function cachedStepDecoder(model: CachedLanguageModel, shape: CacheShape, prompt: CachedPrompt): PreparedGeneration['decoder'] {
  const { vocabSize, maxPositions, layers, heads, headSize, queryHeads = heads } = shape;
  const { promptIds, promptEmbeds, cross, encoderAttentionMask, outputAttentions = false } = prompt;
  // Without padding no mask is made: positions are all that counts.
  const padding = prompt.padding?.some((count) => count > 0) ? prompt.padding : undefined;
  const before = promptIds[0].length - 1;

  /** Mask of `room` positions, seen up to `length`, and positions of the last `fresh` of these; of all rows at once where none is padded. */
  const placed = (rows: number, room: number, length: number, fresh: number): StepInputs['placed'] => {
    const own = padding ? rows : 1, mask = new Int32Array(own * room), positions = new Int32Array(own * fresh);
    for (let row = 0; row < own; row++) {
      const empty = padding?.[Math.floor((row * padding.length) / rows)] ?? 0;
      mask.fill(1, row * room + empty, row * room + length);
      for (let i = 0; i < fresh; i++) positions[row * fresh + i] = Math.max(0, length - fresh + i - empty);
    }
    return { attentionMask: tf.tensor2d(mask, [own, room], 'int32'), positionIds: tf.tensor2d(positions, [own, fresh], 'int32') };
  };
  const empty = (rows: number, room: number): Tensor[] => Array.from({ length: 2 * layers }, () => tf.zeros([rows, heads, room, headSize]));
  const withRoom = (cache: readonly Tensor[], more: number): Tensor[] => cache.map((tensor) => tf.pad(tensor, [[0, 0], [0, 0], [0, more], [0, 0]]));
  /** Without values: its second axis is how many positions are filled. */
  const count = (rows: number, past: number): Tensor => tf.zeros([rows, past, 0]);
  const constant = encoderAttentionMask ? { encoderAttentionMask } : {};

  return {
    vocabSize,
    maxPositions,
    ...(outputAttentions ? { attentionShape: [layers, queryHeads, cross ? cross[0].crossKey.shape[2]! : -1] } : {}),
    start: (images, beams) => tf.tidy(() => {
      const rows = images * beams, room = Math.ceil((before + 1) / ROOM) * ROOM;
      if (before === 0) return [...empty(rows, room), count(rows, 0)];
      const read = promptEmbeds ? embedded(tf.slice(promptEmbeds, [0, 0, 0], [-1, before, -1]))
        : { inputIds: tf.tensor2d(promptIds.map((ids) => ids.slice(0, -1)), [images, before], 'int32') };
      const seen = padding ? placed(images, before, before, before) : {};
      const { pastKeyValues } = model.forward({
        ...constant, ...read, ...seen, pastKeyValues: pastOf(empty(images, 0), cross), useCache: true, logitsToKeep: 1, outputAttentions: false,
      });
      const cache = withRoom(flatCache(pastKeyValues!), room - before);
      return [...cache.map((tensor) => repeatRows(tensor, beams)), count(rows, before)];
    }),
    step: (ids, state): DecoderStep => {
      const [logits, ...rest] = tf.tidy(() => {
        const rows = ids.length, past = state[2 * layers].shape[1]!, given = state.slice(0, 2 * layers), full = past === given[0].shape[2];
        const cache = full ? withRoom(given, ROOM) : given, room = cache[0].shape[2]!;
        const read = promptEmbeds && past === before
          ? embedded(repeatRows(tf.slice(promptEmbeds, [0, before, 0], [-1, 1, -1]), rows / promptIds.length))
          : { inputIds: tf.tensor2d(ids, [rows, 1], 'int32') };
        const place = tf.tensor4d(Uint8Array.from({ length: room }, (_, i) => Number(i === past)), [1, 1, room, 1], 'bool');
        const inputs = { read, place, placed: { ...constant, ...placed(rows, room, past + 1, 1) }, cache, ...(cross && { cross }) };
        const [logits, ...results] = stepOf(model, layers, outputAttentions).run(inputs) as Tensor[], looked = results.slice(2 * layers);
        // A map of the text has no place for what is still to come.
        const maps = cross ? looked : looked.map((map) => tf.slice(map, [0, 0, 0, 0], [-1, -1, -1, past + 1]));
        return [logits, ...results.slice(0, 2 * layers), count(rows, past + 1), ...maps];
      });
      return { logits, state: rest.slice(0, 2 * layers + 1), ...(outputAttentions ? { attention: rest[2 * layers + 1] } : {}) };
    },
    select: (images) => {
      const rows = tf.tensor1d(images, 'int32'), ofThese = (tensor: Tensor): Tensor => tf.gather(tensor, rows), own: Tensor[] = [];
      const kept = (tensor: Tensor): Tensor => { own.push(tensor); return tensor; };
      const selected = cachedStepDecoder(model, shape, {
        promptIds: Array.from(images, (image) => promptIds[image]),
        padding: padding && Array.from(images, (image) => padding[image]),
        cross: cross?.map(({ crossKey, crossValue }) => ({ crossKey: ofThese(crossKey), crossValue: ofThese(crossValue) })),
        promptEmbeds: promptEmbeds && kept(ofThese(promptEmbeds)),
        encoderAttentionMask: encoderAttentionMask && kept(ofThese(encoderAttentionMask)),
        outputAttentions,
      });
      rows.dispose();
      return { ...selected, dispose: () => { selected.dispose(); tf.dispose(own); } };
    },
    dispose: () => { tf.dispose((cross ?? []).flatMap(({ crossKey, crossValue }) => [crossKey, crossValue])); },
  };
}

/** What `generate` of a language model takes. */
export interface TextGenerationInputs {
  /** (B, T) int32: the texts to go on with, shorter ones padded on the left */
  inputIds: Tensor;
  /** (B, T), 1 for a word and 0 for padding. Unless given, padding is where padTokenId stands (if no text ends by it). */
  attentionMask?: Tensor;
  /** Hypotheses keep each token's attention to the text, [layers, heads, −1]: it grows by a position a token. */
  outputAttentions?: boolean;
}

/** A decoder for these texts, with the prompt and options that `generate` takes. */
export function prepareTextGeneration(model: CachedLanguageModel & { generationConfig: GenerationConfig }, shape: CacheShape,
  { inputIds, attentionMask, outputAttentions }: TextGenerationInputs, given: GenerationConfig): PreparedGeneration {
  const { ids, options } = resolveGeneration(model.generationConfig, given);
  const prompt = readPrompt({ inputIds, attentionMask }, ids);
  return { decoder: cachedStepDecoder(model, shape, { ...prompt, outputAttentions }), prompt: { ...prompt, ...ids }, options };
}

/** Ids and left padding of the texts to go on with. @throws where padding does not stand left */
export function readPrompt({ inputIds, attentionMask }: Pick<TextGenerationInputs, 'inputIds' | 'attentionMask'>,
  ids: Pick<Prompt, 'eosTokenId' | 'padTokenId'>): { promptIds: number[][]; padding: number[] | undefined } {
  if (inputIds.rank !== 2) throw new Error(`inputIds have the shape [${inputIds.shape}]: expected [batch, tokens].`);
  if (attentionMask && `${attentionMask.shape}` !== `${inputIds.shape}`) {
    throw new Error(`attentionMask has the shape [${attentionMask.shape}], inputIds [${inputIds.shape}]: expected the same.`);
  }
  const promptIds = inputIds.arraySync() as number[][];
  return { promptIds, padding: attentionMask ? leftPadding(attentionMask.arraySync() as number[][]) : inferredPadding(promptIds, ids) };
}

/** Left padding of each row of an attention mask. @throws where a zero stands right of a one */
export function leftPadding(mask: readonly (readonly number[])[]): number[] {
  return mask.map((row, r) => {
    const first = row.findIndex((seen) => seen !== 0);
    if (first < 0) throw new Error(`Row ${r} of the attention mask is all padding: expected at least one word to continue.`);
    if (row.slice(first).includes(0)) {
      throw new Error(`Row ${r} of the attention mask has padding after words: texts to go on with are padded left (padding_side "left").`);
    }
    return first;
  });
}

/** As transformers: where the padding id stands, unless that also ends texts. */
function inferredPadding(promptIds: number[][], ids: Pick<Prompt, 'eosTokenId' | 'padTokenId'>): number[] | undefined {
  const { eosTokenId, padTokenId } = ids;
  if (padTokenId === null || [eosTokenId ?? []].flat().includes(padTokenId)) return undefined;
  return leftPadding(promptIds.map((row) => row.map((id) => (id === padTokenId ? 0 : 1))));
}
