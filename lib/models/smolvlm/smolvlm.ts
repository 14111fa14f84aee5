/**
 * SmolVLM (Marafioti et al. 2025, https://arxiv.org/abs/2504.05299; Idefics3, https://arxiv.org/abs/2408.12637) with the parameter names of
 * transformers' SmolVLMForConditionalGeneration, which are Idefics3's too: a picture tower, a connector that makes a few vectors of the
 * text's width of many patches, and a Llama in whose sentence they stand.
 */
import { Random, tf, type Tensor, type Tensor4D } from '../../engine';
import {
  generateOnce, resolveGeneration, streamOnce, type GenerationConfig, type GenerationResult, type PreparedGeneration, type TokenStream,
} from '../../generation';
import { Linear, Module, replaceRows } from '../../nn';
import { cachedStepDecoder, readPrompt, type TextGenerationInputs } from '../cached-step-decoder';
import { languageModelHead } from '../causal-language-model';
import { llamaCacheShape, llamaHead, LlamaModel, type LlamaInputs, type LlamaOutputs } from '../llama';
import { anySizeChannelsLast } from '../pixel-values';
import { completeConfig, type SmolVLMConfig, type SmolVLMOptions } from './config';
import { SmolVLMVisionTransformer } from './vision-model';

/** Pictures, as `SmolVLMProcessor` prepares them. */
export interface SmolVLMPictures {
  /** (B, pictures, C, H, W) or (B, pictures, H, W, C): each text's tiles and whole pictures; those that are all zero are padding */
  pixelValues?: Tensor;
  /** (B, pictures, H, W), 0 for padding; all valid unless given */
  pixelAttentionMask?: Tensor;
}

export interface SmolVLMInputs extends LlamaInputs, SmolVLMPictures {}

/** All tensors are the caller's to dispose. */
export interface SmolVLMModelOutputs extends LlamaOutputs {
  /** (pictures that are no padding, vectors a picture, text's width), where pictures were given */
  imageHiddenStates?: Tensor;
}

export interface SmolVLMOutputs extends SmolVLMModelOutputs {
  /** (B, T, vocabulary); only the last `logitsToKeep` positions where that is given */
  logits: Tensor;
  /** Mean cross entropy of each next word, where labels were given */
  loss?: Tensor;
}

/** Attention scores computed at a time: 256 MB of them. A picture of 17 tiles would need a gigabyte a layer. */
const scoresAtOnce = 2 ** 26;

class ModalityProjection extends Module {
  readonly proj: Linear;

  constructor({ visionConfig, textConfig, scaleFactor }: SmolVLMConfig, random: Random) {
    super();
    const { hiddenSize, initializerRange: std } = visionConfig;
    this.proj = new Linear(hiddenSize * scaleFactor ** 2, textConfig.hiddenSize, random, { bias: false, std });
  }
}

class Connector extends Module {
  readonly modality_projection: ModalityProjection;
  private readonly factor: number;

  constructor(config: SmolVLMConfig, random: Random) {
    super();
    this.modality_projection = new ModalityProjection(config, random);
    this.factor = config.scaleFactor;
  }

  /** Patches (pictures, side², hidden) → (pictures, (side / factor)², text's width): squares of patches side by side in one vector. */
  forward(x: Tensor): Tensor {
    const { factor } = this;
    const [pictures, patches, width] = x.shape as [number, number, number];
    const side = Math.sqrt(patches), fewer = side / factor;
    if (!Number.isInteger(fewer)) {
      throw new Error(`${patches} patches are no square whose side divides by scaleFactor ${factor}: check the size of pixelValues.`);
    }
    return tf.tidy(() => {
      const squares = tf.transpose(tf.reshape(x, [pictures, fewer, factor, fewer, factor * width]), [0, 1, 3, 2, 4]);
      return this.modality_projection.proj.forward(tf.reshape(squares, [pictures, fewer * fewer, factor * factor * width]));
    });
  }
}

/** SmolVLM without the output layer (SmolVLMModel). */
export class SmolVLMModel extends Module {
  readonly config: SmolVLMConfig;
  readonly vision_model: SmolVLMVisionTransformer;
  readonly connector: Connector;
  readonly text_model: LlamaModel;

  constructor(options: SmolVLMOptions = {}, random = new Random(0)) {
    super();
    this.config = completeConfig(options);
    this.vision_model = new SmolVLMVisionTransformer(this.config.visionConfig, random);
    this.connector = new Connector(this.config, random);
    this.text_model = new LlamaModel(this.config.textConfig, random);
  }

  /** The text's vectors for pictures: (pictures that are no padding, vectors a picture, text's width). Shapes as in `SmolVLMInputs`. */
  imageFeatures(pixelValues: Tensor, pixelAttentionMask?: Tensor | null): Tensor {
    const { numChannels, patchSize, numAttentionHeads } = this.config.visionConfig;
    if (pixelValues.rank !== 5) {
      throw new Error(`pixelValues have the shape [${pixelValues.shape}]: expected [batch, pictures, ${numChannels}, height, width] `
        + 'or channels last.');
    }
    return tf.tidy(() => {
      const all = flattened(pixelValues), real = realPictures(all);
      const chosen = (x: Tensor): Tensor => (real.length === all.shape[0] ? x : tf.gather(x, tf.tensor1d(real, 'int32')));
      const pixels = anySizeChannelsLast(chosen(all), numChannels).pixels;
      const [count, height, width] = pixels.shape;
      const masked = [...pixelValues.shape.slice(0, 2), height, width];
      if (pixelAttentionMask && String(pixelAttentionMask.shape) !== String(masked)) {
        throw new Error(`pixelAttentionMask has the shape [${pixelAttentionMask.shape}]: expected [${masked.join(', ')}], as pixelValues.`);
      }
      const patches = pixelAttentionMask ? patchMask(chosen(flattened(pixelAttentionMask)), patchSize) : null;
      const rows = Math.floor(height / patchSize), columns = Math.floor(width / patchSize);
      if (rows !== columns) {
        throw new Error(`Pictures of ${height}×${width} pixels give ${rows}×${columns} patches: `
          + 'expected a square of them, as the processor makes it.');
      }
      const together = Math.max(1, Math.floor(scoresAtOnce / ((rows * columns) ** 2 * numAttentionHeads)));
      const parts: Tensor[] = [];
      for (let from = 0; from < count; from += together) {
        parts.push(tf.tidy(() => {
          const part = <T extends Tensor>(x: T): T => (together >= count ? x : tf.slice(x, from, Math.min(together, count - from)));
          const seen = this.vision_model.forward({ pixelValues: part(pixels), patchAttentionMask: patches && part(patches) });
          return this.connector.forward(seen.lastHiddenState);
        }));
      }
      return parts.length === 1 ? parts[0] : tf.concat(parts, 0);
    });
  }

  forward({ pixelValues, pixelAttentionMask, ...inputs }: SmolVLMInputs): SmolVLMModelOutputs {
    if (!pixelValues) {
      if (pixelAttentionMask) throw new Error('pixelAttentionMask was given without pixelValues.');
      return this.text_model.forward(inputs);
    }
    const { inputIds, ...others } = inputs;
    if (!inputIds || others.inputsEmbeds) {
      throw new Error('Pictures stand where inputIds hold the image token: give inputIds, not inputsEmbeds, with pixelValues.');
    }
    return tf.tidy(() => {
      const imageHiddenStates = this.imageFeatures(pixelValues, pixelAttentionMask);
      const inputsEmbeds = this.withPictures(inputIds, imageHiddenStates);
      return { ...this.text_model.forward({ ...others, inputsEmbeds }), imageHiddenStates } as never;
    });
  }

  /** Embeddings (B, T, hidden) of a text, the pictures' vectors in order in the places of the image token. */
  withPictures(inputIds: Tensor, imageHiddenStates: Tensor): Tensor {
    const { imageTokenId } = this.config;
    const [pictures, each, width] = imageHiddenStates.shape as [number, number, number];
    const places = Array.from(inputIds.dataSync().entries()).filter(([, id]) => id === imageTokenId).map(([place]) => place);
    if (places.length !== pictures * each) {
      throw new Error(`inputIds hold the image token ${imageTokenId} ${places.length} times, but ${pictures} pictures of ${each} vectors `
        + `need it ${pictures * each} times: the processor that made the pictures also makes the text.`);
    }
    return tf.tidy(() => {
      const words = this.text_model.embed_tokens.forward(tf.reshape(inputIds, [-1]));
      const all = replaceRows(words, tf.reshape(imageHiddenStates, [-1, width]), tf.tensor1d(places, 'int32'));
      return tf.reshape(all, [...inputIds.shape, width]);
    });
  }
}

/** (B, n, …) → (B · n, …) */
const flattened = (x: Tensor): Tensor => tf.reshape(x, [x.shape[0] * x.shape[1]!, ...x.shape.slice(2)]);

/** Which of the pictures hold anything but zeros; the first one where none does. */
function realPictures(pictures: Tensor): number[] {
  const any = tf.tidy(() => tf.any(tf.notEqual(tf.reshape(pictures, [pictures.shape[0], -1]), 0), 1).dataSync());
  const real = Array.from(any.keys()).filter((i) => any[i]);
  return real.length ? real : [0];
}

/** Mask of pixels (n, H, W) → of patches (n, H / patch, W / patch): valid where any pixel is. */
function patchMask(mask: Tensor, patchSize: number): Tensor4D {
  const [count, height, width] = mask.shape as [number, number, number];
  const rows = Math.floor(height / patchSize), columns = Math.floor(width / patchSize);
  return tf.tidy(() => {
    const covered = tf.slice(mask, [0, 0, 0], [count, rows * patchSize, columns * patchSize]);
    const seen = tf.notEqual(covered, tf.scalar(0, mask.dtype as 'int32'));
    return tf.cast(tf.any(tf.reshape(seen, [count, rows, patchSize, columns, patchSize]), [2, 4]), 'int32') as Tensor as Tensor4D;
  });
}

/** SmolVLM with its output layer (SmolVLMForConditionalGeneration, Idefics3ForConditionalGeneration). */
export class SmolVLMForConditionalGeneration extends Module {
  readonly model: SmolVLMModel;
  /** Absent where the output layer is the word embedding. */
  readonly lm_head?: Linear;
  /** generation_config.json: what `generate` does unless told otherwise */
  generationConfig: GenerationConfig;

  constructor(options: SmolVLMOptions = {}, random = new Random(0)) {
    super();
    this.model = new SmolVLMModel(options, random);
    this.generationConfig = { padTokenId: this.config.textConfig.padTokenId };
    if (!this.config.tieWordEmbeddings) this.lm_head = llamaHead(this.config.textConfig, random);
  }

  get config(): SmolVLMConfig { return this.model.config; }

  /** `labels` (B, T) int32 as the inputs, −100 where not counted: position t is scored on label t + 1. */
  forward({ labels, logitsToKeep, ...inputs }: SmolVLMInputs & { labels?: Tensor; logitsToKeep?: number }): SmolVLMOutputs {
    return tf.tidy(() => {
      const outputs = this.model.forward(inputs);
      const { tensor } = (this.lm_head ?? this.model.text_model.embed_tokens).weight;
      return { ...outputs, ...languageModelHead(outputs.lastHiddenState, tensor, { labels, logitsToKeep }) } as never;
    });
  }

  /**
   * Texts that go on from `inputIds` and their pictures, as transformers' generate returns them; lib/generation describes the options. The
   * pictures are looked at once, whatever the number of beams.
   *
   * @throws where padding does not stand left, pictures and texts do not fit together, or options make no sense
   */
  generate(inputs: TextGenerationInputs & SmolVLMPictures, options: GenerationConfig = {}): GenerationResult {
    return generateOnce(this.prepareGeneration(inputs, options));
  }

  /** The tokens of `generate` as they come (greedy or drawn), a row each; see `streamTokens`. */
  stream(inputs: TextGenerationInputs & SmolVLMPictures, options: GenerationConfig = {}, signal?: AbortSignal): TokenStream {
    return streamOnce(() => this.prepareGeneration(inputs, options), signal);
  }

  private prepareGeneration(inputs: TextGenerationInputs & SmolVLMPictures, given: GenerationConfig): PreparedGeneration {
    const { inputIds, pixelValues, pixelAttentionMask, outputAttentions } = inputs;
    const { ids, options } = resolveGeneration(this.generationConfig, given);
    const prompt = readPrompt(inputs, ids);
    const promptEmbeds = pixelValues
      && tf.tidy(() => this.model.withPictures(inputIds, this.model.imageFeatures(pixelValues, pixelAttentionMask)));
    const decoder = cachedStepDecoder(this, llamaCacheShape(this.config.textConfig), { ...prompt, promptEmbeds, outputAttentions });
    const dispose = () => { decoder.dispose(); promptEmbeds?.dispose(); };
    return { decoder: { ...decoder, dispose }, prompt: { ...prompt, ...ids }, options };
  }
}
