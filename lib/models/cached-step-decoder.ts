/**
 * A language model token by token for lib/generation: keys and values of the text so far are the state of each row (beam), those of an
 * encoder stand once an image. For every model whose `forward` takes `pastKeyValues` and gives them back with `useCache`.
 */
import { tf, type Tensor, type Tensor4D } from '../engine';
import { repeatRows, resolveGeneration, type DecoderStep, type GenerationConfig, type PreparedGeneration, type Prompt,
  type RowState } from '../generation';
import type { KeyValues } from './causal-language-model';

/** What is used of such a model. */
export interface CachedLanguageModel {
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

/** In the place of ids, for models whose prompts have `promptEmbeds`. */
const embedded = (inputsEmbeds: Tensor) => ({ inputsEmbeds }) as unknown as Pick<CachedInputs, 'inputIds'>;

/** Dispose it after the search. */
export function cachedStepDecoder(model: CachedLanguageModel, shape: CacheShape, prompt: CachedPrompt): PreparedGeneration['decoder'] {
  const { vocabSize, maxPositions, layers, heads, headSize, queryHeads = heads } = shape;
  const { promptIds, promptEmbeds, cross, encoderAttentionMask, outputAttentions = false } = prompt;
  // Without padding no mask is made: positions are all that counts.
  const padding = prompt.padding?.some((count) => count > 0) ? prompt.padding : undefined;
  const before = promptIds[0].length - 1;

  /** Mask of `length` positions and positions of the last `fresh` of them, for each of `rows` rows. */
  const placed = (rows: number, length: number, fresh: number): Pick<CachedInputs, 'attentionMask' | 'positionIds'> => {
    if (!padding) return {};
    const mask = new Int32Array(rows * length), positions = new Int32Array(rows * fresh);
    for (let row = 0; row < rows; row++) {
      const empty = padding[Math.floor((row * padding.length) / rows)];
      mask.fill(1, row * length + empty, (row + 1) * length);
      for (let i = 0; i < fresh; i++) positions[row * fresh + i] = Math.max(0, length - fresh + i - empty);
    }
    return { attentionMask: tf.tensor2d(mask, [rows, length], 'int32'), positionIds: tf.tensor2d(positions, [rows, fresh], 'int32') };
  };
  const empty = (rows: number): Tensor[] => Array.from({ length: 2 * layers }, () => tf.zeros([rows, heads, 0, headSize]));
  const cached = (state: RowState): KeyValues[] =>
    Array.from({ length: layers }, (_, i) => ({ key: state[2 * i], value: state[2 * i + 1], ...cross?.[i] }));
  const stateOf = (cache: readonly KeyValues[]): Tensor[] => cache.flatMap(({ key, value }) => [key, value]);
  const constant = { ...(encoderAttentionMask ? { encoderAttentionMask } : {}), useCache: true, logitsToKeep: 1 };

  return {
    vocabSize,
    maxPositions,
    ...(outputAttentions ? { attentionShape: [layers, queryHeads, cross ? cross[0].crossKey.shape[2]! : -1] } : {}),
    start: (images, beams) => {
      if (before === 0) return empty(images * beams);
      return tf.tidy(() => {
        const read = promptEmbeds ? embedded(tf.slice(promptEmbeds, [0, 0, 0], [-1, before, -1]))
          : { inputIds: tf.tensor2d(promptIds.map((ids) => ids.slice(0, -1)), [images, before], 'int32') };
        const past = { pastKeyValues: cached(empty(images)), outputAttentions: false };
        const outputs = model.forward({ ...constant, ...read, ...placed(images, before, before), ...past });
        return stateOf(outputs.pastKeyValues!).map((tensor) => repeatRows(tensor, beams));
      });
    },
    step: (ids, state): DecoderStep => {
      const [logits, ...rest] = tf.tidy(() => {
        const rows = ids.length, past = state[0].shape[2]!;
        const read = promptEmbeds && past === before
          ? embedded(repeatRows(tf.slice(promptEmbeds, [0, before, 0], [-1, 1, -1]), rows / promptIds.length))
          : { inputIds: tf.tensor2d(ids, [rows, 1], 'int32') };
        const outputs = model.forward({
          ...constant, ...read, ...placed(rows, past + 1, 1), pastKeyValues: cached(state), outputAttentions,
        });
        const weights = (cross ? outputs.crossAttentions : outputs.attentions) ?? [];
        const looked = outputAttentions ? [tf.stack(weights.map((layer) => tf.squeeze(layer as Tensor4D, [2])), 1)] : [];
        return [tf.reshape(outputs.logits, [rows, vocabSize]), ...stateOf(outputs.pastKeyValues!), ...looked];
      });
      return { logits, state: rest.slice(0, 2 * layers), ...(outputAttentions ? { attention: rest[2 * layers] } : {}) };
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
