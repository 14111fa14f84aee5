import { tf, type Tensor } from '../../engine';
import { repeatRows, type DecoderStep, type Prompt, type RowState, type StepDecoder } from '../../generation';
import type { KeyValues } from '../causal-language-model';
import type { BlipForConditionalGeneration } from './blip-model';
import type { BlipTextConfig } from './config';

export interface BlipGenerationInputs {
  /** (B, 3, H, W) or (B, H, W, 3) */
  pixelValues: Tensor;
  /** (B, T) as the tokenizer gives it, between its special tokens: what the text begins with. */
  inputIds?: Tensor | readonly (readonly number[])[];
  /** (B, T), 1 for a word and 0 for padding; read off the padding ids unless given. */
  attentionMask?: Tensor | readonly (readonly number[])[];
  /** Each token's cross attentions, for pictures of where the decoder looked */
  outputAttentions?: boolean;
}

export interface BlipPrompt extends Prompt {
  promptIds: number[][];
  /** As promptIds, 1 for a word and 0 for padding */
  mask: number[][];
}

const rowsOf = (ids: Tensor | readonly (readonly number[])[]): number[][] =>
  ('arraySync' in ids ? ids.arraySync() as number[][] : ids.map((row) => [...row]));

/** What transformers' BlipForConditionalGeneration.generate makes of its inputs. */
export function blipPrompt(inputs: BlipGenerationInputs, { bosTokenId, sepTokenId, padTokenId }: BlipTextConfig): BlipPrompt {
  const { pixelValues, inputIds, attentionMask } = inputs;
  const [images] = pixelValues.shape;
  const ids = inputIds ? rowsOf(inputIds) : Array.from({ length: images }, () => [bosTokenId, sepTokenId]);
  if (ids.length !== images) throw new Error(`${ids.length} prompts for ${images} pictures: give one for each.`);
  const short = ids.findIndex((row) => row.length < 2);
  if (short >= 0) {
    throw new Error(`Prompt ${short} has ${ids[short].length} ids: expected a start and an end token at least, as of a tokenizer.`);
  }
  const promptIds = ids.map(([, ...rest]) => [bosTokenId, ...rest.slice(0, -1)]);
  const given = attentionMask && rowsOf(attentionMask);
  if (given && (given.length !== ids.length || given.some((row, i) => row.length !== ids[i].length))) {
    const shape = `${given.length}, ${given[0]?.length}`;
    throw new Error(`attentionMask has the shape [${shape}]: expected [${ids.length}, ${ids[0].length}], as inputIds.`);
  }
  // Where the padding token ends texts, it does not say what padding is.
  const isWord = (id: number) => Number(id !== padTokenId || padTokenId === sepTokenId);
  const mask = given?.map((row) => row.slice(0, -1)) ?? promptIds.map((row) => row.map(isWord));
  return { promptIds, mask, eosTokenId: sepTokenId, padTokenId };
}

/** One search's view of BLIP: pictures read once, their keys shared by all beams. The caller disposes it. */
export class BlipStepDecoder implements StepDecoder {
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly attentionShape?: readonly number[];
  private readonly decoder: BlipForConditionalGeneration['text_decoder'];
  private readonly imageEmbeds: Tensor;
  /** Each layer's keys and values of the pictures, a row a picture; known after the first words were read. */
  private cross: { crossKey: Tensor; crossValue: Tensor }[] | undefined;
  /** Where each of the prompt's words stands, and 0 for padding; only for prompts with padding. */
  private readonly positions: number[][] | undefined;

  constructor(model: BlipForConditionalGeneration, inputs: BlipGenerationInputs, private readonly prompt: BlipPrompt) {
    const { vision_model, text_decoder } = model;
    const { vocabSize, maxPositionEmbeddings, numHiddenLayers, numAttentionHeads } = text_decoder.config;
    this.decoder = text_decoder;
    this.vocabSize = vocabSize;
    this.maxPositions = maxPositionEmbeddings;
    if (prompt.mask.some((row) => row.includes(0))) this.positions = prompt.mask.map(positionsOf);
    this.imageEmbeds = tf.tidy(() => vision_model.forward({ pixelValues: inputs.pixelValues }).lastHiddenState);
    if (inputs.outputAttentions) this.attentionShape = [numHiddenLayers, numAttentionHeads, this.imageEmbeds.shape[1]!];
  }

  /** Keys and values of the prompt without its last token, two tensors a layer; none for a prompt of one token. */
  start(_images: number, beams: number): RowState {
    const ids = this.prompt.promptIds.map((row) => row.slice(0, -1));
    if (ids[0].length === 0) return [];
    const { logits, state, attention } = this.read(ids, []);
    const repeated = state.map((tensor) => repeatRows(tensor, beams));
    tf.dispose([logits, ...state, ...(attention ? [attention] : [])]);
    return repeated;
  }

  step(ids: Int32Array, state: RowState): DecoderStep { return this.read(Array.from(ids, (id) => [id]), state); }

  dispose(): void { tf.dispose([this.imageEmbeds, this.cross ?? []] as never); }

  /** Reads some more words of each row; the logits are those after the last. */
  private read(words: number[][], state: RowState): DecoderStep {
    const { cross, decoder, attentionShape } = this;
    const rows = words.length, past = state.length ? state[0].shape[2]! : 0;
    const pastKeyValues = cross && past > 0
      ? cross.map((keys, i): KeyValues => ({ ...keys, key: state[2 * i], value: state[2 * i + 1] })) : undefined;
    const outputs = tf.tidy(() => {
      const { logits, pastKeyValues: keys, crossAttentions } = decoder.forward({
        inputIds: tf.tensor2d(words, undefined, 'int32'), ...this.padding(rows, past, words[0].length), useCache: true, logitsToKeep: 1,
        outputAttentions: attentionShape !== undefined, ...(pastKeyValues ? { pastKeyValues } : { encoderHiddenStates: this.imageEmbeds }),
      });
      const last = (weights: Tensor) => tf.slice(weights, [0, 0, words[0].length - 1, 0], [-1, -1, 1, -1]);
      return {
        logits: tf.reshape(logits, [rows, this.vocabSize]),
        keys: keys!,
        ...(attentionShape ? { attention: tf.reshape(tf.stack(crossAttentions!.map(last), 1), [rows, ...attentionShape]) } : {}),
      } as never;
    }) as { logits: Tensor; keys: Required<KeyValues>[]; attention?: Tensor };
    if (!this.cross) this.cross = outputs.keys.map(({ crossKey, crossValue }) => ({ crossKey, crossValue }));
    else for (const { crossKey, crossValue } of outputs.keys) tf.dispose([crossKey, crossValue]);
    const { logits, keys, attention } = outputs;
    return { logits, state: keys.flatMap(({ key, value }) => [key, value]), ...(attention ? { attention } : {}) };
  }

  /** Mask and positions of `length` words after `past` ones; nothing where no prompt has padding. */
  private padding(rows: number, past: number, length: number): { attentionMask?: Tensor; positionIds?: Tensor } {
    const { positions, prompt: { mask } } = this;
    if (!positions) return {};
    const prompted = mask[0].length, total = past + length;
    const ofRows = (values: (image: number) => number[]) =>
      tf.tensor2d(Array.from({ length: rows }, (_, row) => values(Math.floor(row * mask.length / rows))), undefined, 'int32');
    // A new word's position is that of the word before it and one more, even where that is padding: so does transformers.
    const after = (image: number, at: number) => (at < prompted ? positions[image][at] : positions[image][prompted - 1] + at - prompted + 1);
    return {
      attentionMask: ofRows((image) => Array.from({ length: total }, (_, at) => (at < prompted ? mask[image][at] : 1))),
      positionIds: ofRows((image) => Array.from({ length }, (_, i) => after(image, past + i))),
    };
  }
}

/** Words count from 0, padding stands at 0. */
function positionsOf(mask: readonly number[]): number[] {
  let words = 0;
  return mask.map((seen) => (seen ? words++ : 0));
}
