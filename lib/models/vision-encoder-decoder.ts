/**
 * Vision encoder and language decoder in one (transformers' VisionEncoderDecoderModel): a ViT, GPT-2 with cross attention, and a layer
 * between them where their widths differ. Parameter names are `encoder.…`, `decoder.…`, `enc_to_dec_proj.…`.
 */
import { crossEntropy, Random, tf, type Tensor, type Tensor1D, type Tensor2D } from '../engine';
import { generateOnce, resolveGeneration, streamOnce, type GenerationConfig, type GenerationResult, type PreparedGeneration,
  type TokenStream } from '../generation';
import { Linear, Module } from '../nn';
import { cachedStepDecoder, leftPadding, type CachedPrompt } from './cached-step-decoder';
import { GPT2LMHeadModel, type GPT2Config } from './gpt2';
import { modelGraph } from './model-graph';
import { ViTModel, type ViTConfig } from './vit';

export interface VisionEncoderDecoderConfig {
  encoder: Partial<ViTConfig>;
  /** Cross attention is added whatever this says. */
  decoder: Partial<GPT2Config>;
  /** First id of every text the decoder reads: labels are moved right behind it. */
  decoderStartTokenId: number | null;
  /** Stands where labels are −100. */
  padTokenId: number | null;
}

export interface VisionEncoderDecoderInputs {
  /** (B, C, H, W) or (B, H, W, C) */
  pixelValues?: Tensor;
  /** (B, S, encoder's width) instead of pixels: the encoder's last hidden state, computed before */
  encoderLastHiddenState?: Tensor;
  /** (B, T) int32; made of the labels unless given */
  decoderInputIds?: Tensor;
  /** (B, T), 1 for a word and 0 for padding; all words unless given, as transformers */
  decoderAttentionMask?: Tensor;
  /** (B, T) int32, −100 where not counted: position t is scored on label t, nothing is shifted */
  labels?: Tensor;
  outputHiddenStates?: boolean;
  outputAttentions?: boolean;
}

/** All tensors are the caller's to dispose. */
export interface VisionEncoderDecoderOutputs {
  /** (B, T, vocabulary) */
  logits: Tensor;
  /** Mean cross entropy, where labels were given */
  loss?: Tensor;
  /** (B, S, encoder's width), before the layer between */
  encoderLastHiddenState: Tensor;
  encoderHiddenStates?: Tensor[];
  encoderAttentions?: Tensor[];
  decoderHiddenStates?: Tensor[];
  /** Each layer's weights, (B, heads, T, T) */
  decoderAttentions?: Tensor[];
  /** Each layer's weights, (B, heads, T, S) */
  crossAttentions?: Tensor[];
}

export interface CaptioningInputs extends Pick<VisionEncoderDecoderInputs, 'pixelValues' | 'encoderLastHiddenState'> {
  /** (B, T) int32: what the text begins with, behind the start id; shorter ones padded on the left */
  decoderInputIds?: Tensor;
  /** (B, T), 1 for a word and 0 for padding; all words unless given. Words count their positions from the first one on. */
  decoderAttentionMask?: Tensor;
  /** Hypotheses keep each token's attention to the image, [layers, heads, S]. */
  outputAttentions?: boolean;
}

type SeenImages = Pick<VisionEncoderDecoderInputs, 'pixelValues' | 'encoderLastHiddenState'>;

export class VisionEncoderDecoderModel extends Module {
  readonly config: VisionEncoderDecoderConfig & { encoder: ViTConfig; decoder: GPT2Config };
  readonly encoder: ViTModel;
  readonly decoder: GPT2LMHeadModel;
  readonly enc_to_dec_proj?: Linear;
  /** generation_config.json: what `generate` does unless told otherwise */
  generationConfig: GenerationConfig = {};

  /** @param parts halves that exist already, as pretrained ones; they become this model's, whatever `config` says of them */
  constructor(config: VisionEncoderDecoderConfig, random = new Random(0), { pooler, ...parts }: { pooler?: boolean; encoder?: ViTModel; decoder?: GPT2LMHeadModel } = {}) {
    super();
    if (parts.decoder && !parts.decoder.config.addCrossAttention) throw new Error('The decoder has no cross attention: load it with addCrossAttention true.');
    this.encoder = parts.encoder ?? new ViTModel(config.encoder, random, { pooler });
    this.decoder = parts.decoder ?? new GPT2LMHeadModel({ ...config.decoder, addCrossAttention: true }, random);
    this.config = { ...config, encoder: this.encoder.config, decoder: this.decoder.config };
    const { hiddenSize } = this.encoder.config, { nEmbd } = this.decoder.config;
    if (hiddenSize !== nEmbd) this.enc_to_dec_proj = new Linear(hiddenSize, nEmbd, random);
  }

  forward(inputs: VisionEncoderDecoderInputs): VisionEncoderDecoderOutputs {
    const { labels, decoderInputIds, decoderAttentionMask, outputHiddenStates, outputAttentions } = inputs;
    if (!labels && !decoderInputIds) throw new Error('The decoder has nothing to read: give decoderInputIds, or labels to make them of.');
    return tf.tidy(() => {
      const seen = this.encode(inputs);
      const { logits, hiddenStates, attentions, crossAttentions, lastHiddenState } = this.decoder.forward({
        inputIds: decoderInputIds ?? this.shiftRight(labels!), attentionMask: decoderAttentionMask,
        encoderHiddenStates: this.project(seen.lastHiddenState), outputHiddenStates, outputAttentions,
      });
      lastHiddenState.dispose();
      return {
        logits, encoderLastHiddenState: seen.lastHiddenState,
        ...(labels ? { loss: sameWordLoss(logits, labels) } : {}),
        ...(seen.hiddenStates ? { encoderHiddenStates: seen.hiddenStates } : {}),
        ...(seen.attentions ? { encoderAttentions: seen.attentions } : {}),
        ...(outputHiddenStates ? { decoderHiddenStates: hiddenStates } : {}),
        ...(outputAttentions ? { decoderAttentions: attentions, crossAttentions } : {}),
      } as never;
    });
  }

  private encode({ pixelValues, encoderLastHiddenState, outputHiddenStates, outputAttentions }: VisionEncoderDecoderInputs) {
    if (!pixelValues === !encoderLastHiddenState) {
      throw new Error(`Either pixelValues or encoderLastHiddenState is needed: ${pixelValues ? 'both' : 'neither'} were given.`);
    }
    return pixelValues
      ? this.encoder.forward({ pixelValues, outputHiddenStates, outputAttentions })
      : { lastHiddenState: tf.clone(encoderLastHiddenState!), hiddenStates: undefined, attentions: undefined };
  }

  private project(states: Tensor): Tensor { return this.enc_to_dec_proj ? this.enc_to_dec_proj.forward(states) : states; }

  /** Labels (B, T) one place to the right, the start id first, −100 as padding. */
  private shiftRight(labels: Tensor): Tensor {
    const { decoderStartTokenId: start, padTokenId: pad } = this.config;
    if (start === null || pad === null) {
      throw new Error(`Labels become the decoder's inputs by decoderStartTokenId and padTokenId, which are ${start} and ${pad}: `
        + 'set them in config.json, or give decoderInputIds.');
    }
    const former = tf.slice(labels, [0, 0], [-1, labels.shape[1]! - 1]);
    const words = tf.where(tf.notEqual(former, -100), former, tf.onesLike(former).mul(pad).toInt());
    return tf.concat([tf.fill([labels.shape[0], 1], start, 'int32'), words], 1);
  }

  /**
   * A text for each image, as transformers' generate returns them (the start id first); lib/generation describes the options. The image is
   * encoded once, and its keys of cross attention are shared by all beams.
   */
  generate(inputs: CaptioningInputs, options: GenerationConfig = {}): GenerationResult {
    return generateOnce(this.prepareGeneration(inputs, options));
  }

  /** The tokens of `generate` as they come (greedy or drawn), a row each; see `streamTokens`. */
  stream(inputs: CaptioningInputs, options: GenerationConfig = {}, signal?: AbortSignal): TokenStream {
    return streamOnce(() => this.prepareGeneration(inputs, options), signal);
  }

  /** Each layer's keys and values of cross attention; the caller disposes them. */
  private crossKeyValues(image: SeenImages): NonNullable<CachedPrompt['cross']> {
    const run = (model: VisionEncoderDecoderModel, inputs: SeenImages): Tensor[] => tf.tidy(() => {
      const states = model.project(model.encode(inputs).lastHiddenState);
      return model.decoder.transformer.crossKeyValues(states).flatMap(({ crossKey, crossValue }) => [crossKey, crossValue]);
    });
    const flat = modelGraph(this as VisionEncoderDecoderModel, 'cross', run).run(image) as Tensor[];
    return Array.from({ length: flat.length / 2 }, (_, layer) => ({ crossKey: flat[2 * layer], crossValue: flat[2 * layer + 1] }));
  }

  private prepareGeneration({ decoderInputIds, decoderAttentionMask, outputAttentions, ...image }: CaptioningInputs,
    given: GenerationConfig): PreparedGeneration {
    const defaults = { padTokenId: this.config.padTokenId, ...this.generationConfig };
    const { ids, options } = resolveGeneration(defaults, given), all = { ...defaults, ...given };
    const start = all.decoderStartTokenId ?? this.config.decoderStartTokenId ?? all.bosTokenId;
    if (start === null || start === undefined) {
      throw new Error('Generation needs decoderStartTokenId: set it in generation_config.json, or give it as an option.');
    }
    const images = (image.pixelValues ?? image.encoderLastHiddenState)?.shape[0] ?? 0;
    const prompt = startedBy(start, images, decoderInputIds, decoderAttentionMask);
    const { cacheShape } = this.decoder;
    const cross = this.crossKeyValues(image);
    const decoder = cachedStepDecoder(this.decoder, cacheShape, { ...prompt, cross, outputAttentions });
    return { decoder, prompt: { promptIds: prompt.promptIds, ...ids }, options };
  }
}

/** Prompts that begin with the start id, which is put before them unless some do already (transformers' rule). */
function startedBy(
  start: number, images: number, decoderInputIds: Tensor | undefined, mask: Tensor | undefined,
): Pick<CachedPrompt, 'promptIds' | 'padding'> {
  if (!decoderInputIds) {
    if (mask) throw new Error('decoderAttentionMask was given without the decoderInputIds that it is of.');
    return { promptIds: Array.from({ length: images }, () => [start]) };
  }
  if (decoderInputIds.rank !== 2 || decoderInputIds.shape[0] !== images) {
    throw new Error(`decoderInputIds have the shape [${decoderInputIds.shape}]: expected [${images}, tokens], a row an image.`);
  }
  if (mask && `${mask.shape}` !== `${decoderInputIds.shape}`) {
    throw new Error(`decoderAttentionMask has the shape [${mask.shape}], decoderInputIds [${decoderInputIds.shape}]: expected the same.`);
  }
  const given = decoderInputIds.arraySync() as number[][], seen = mask?.arraySync() as number[][] | undefined;
  const lacksStart = given.every(([first]) => first !== start);
  const behind = (first: number) => (row: number[]): number[] => (lacksStart ? [first, ...row] : row);
  return { promptIds: given.map(behind(start)), padding: seen && leftPadding(seen.map(behind(1))) };
}

/** Mean cross entropy of logits (B, T, vocabulary) with labels (B, T) at the same place. */
function sameWordLoss(logits: Tensor, labels: Tensor): Tensor {
  const [batch, length, vocabulary] = logits.shape;
  if (labels.shape[0] !== batch || labels.shape[1] !== length) {
    throw new Error(`labels have the shape [${labels.shape}]: expected [${batch}, ${length}], as decoderInputIds.`);
  }
  return crossEntropy(tf.reshape(logits, [-1, vocabulary!]) as Tensor2D, tf.reshape(labels, [-1]) as Tensor1D);
}
