import { tf, type Tensor } from '../engine';
import { mergeGenerationOptions, type GenerationConfig, type GenerationResult, type Hypothesis } from '../generation';
import type { ImageProcessor, ImageSource } from '../images';
import { load, save, type Checkpoint } from '../models';
import type { Module } from '../nn';
import type { Tokenizer } from '../tokenizers';
import { captionAttention } from './caption-attention';
import type { Caption, Captioner, CaptionOptions } from './captioner';

/** What such a captioner asks of its network: VisionEncoderDecoderModel and BlipForConditionalGeneration have it. */
export interface CaptioningNetwork extends Module {
  generate(inputs: { pixelValues: Tensor; outputAttentions?: boolean }, options?: GenerationConfig): GenerationResult;
}

export interface PretrainedCaptionerOptions {
  /** What holds unless an option of a call says otherwise. */
  generation?: CaptionOptions;
}

/** A published network that captions pictures, with its tokenizer and preprocessing: a checkpoint folder as Python's transformers has it. */
export class PretrainedCaptioner<M extends CaptioningNetwork = CaptioningNetwork> implements Captioner {
  readonly model: M;
  readonly processor: ImageProcessor;
  readonly tokenizer: Tokenizer;

  /** @throws Error when the checkpoint lacks a part, or its network writes no text */
  constructor(protected readonly checkpoint: Checkpoint<M>, private readonly options: PretrainedCaptionerOptions = {}) {
    const { model, processor, tokenizer } = checkpoint;
    if (!model || !processor || !tokenizer) {
      const lacking = [[model, 'weights'], [processor, 'preprocessor_config.json'], [tokenizer, 'a tokenizer']].filter(([part]) => !part).map(([, name]) => name);
      throw new Error(`The checkpoint lacks ${lacking.join(' and ')}: a captioner needs them all.`);
    }
    if (typeof model.generate !== 'function') throw new Error(`A ${(model as Module).constructor.name} writes no captions.`);
    [this.model, this.processor, this.tokenizer] = [model, processor, tokenizer];
  }

  /** A folder or a name that `load` understands. */
  static load(nameOrFolder: string, options: PretrainedCaptionerOptions = {}): PretrainedCaptioner {
    const checkpoint = load(nameOrFolder);
    try { return new PretrainedCaptioner(checkpoint as Checkpoint<CaptioningNetwork>, options); } catch (error) {
      checkpoint.model?.dispose();
      throw error;
    }
  }

  get networks(): readonly Module[] { return [this.model]; }

  async caption(images: readonly ImageSource[], options: CaptionOptions = {}): Promise<Caption[]> {
    return (await this.captionBeams(images, options)).map(([best]) => best);
  }

  /** All beams of each picture, best first. */
  async captionBeams(images: readonly ImageSource[], options: CaptionOptions = {}): Promise<Caption[][]> {
    const { batchSize = 16, ...given } = options;
    const captions: Caption[][] = [];
    for (let from = 0; from < images.length; from += batchSize) {
      const { data, shape } = await this.processor.batch(images.slice(from, from + batchSize));
      const pixelValues = tf.tensor4d(data, shape);
      try { captions.push(...this.beamsOf({ pixelValues }, shape[2] / shape[1], given)); } finally { pixelValues.dispose(); }
    }
    return captions;
  }

  /** All beams of one batch, from what the network generates from; `aspect` is the pictures' width by their height. */
  protected beamsOf(inputs: Parameters<M['generate']>[0], aspect: number, options: CaptionOptions): Caption[][] {
    const { batchSize: _, outputAttentions, ...given } = options;
    const { batchSize: __, outputAttentions: ___, ...defaults } = this.options.generation ?? {};
    const all = mergeGenerationOptions(defaults, given);
    const { hypotheses, attentionShape } = this.model.generate({ ...inputs, outputAttentions }, all);
    return hypotheses.map((beams) => beams.map((beam) => this.describe(beam, attentionShape, aspect)));
  }

  private describe({ tokens, logProbability, score, attention }: Hypothesis, shape: readonly number[] | undefined, aspect: number): Caption {
    return {
      text: this.tokenizer.decode(tokens, { skipSpecialTokens: true }).trim(), tokens, words: tokens.map((id) => this.tokenizer.decode([id]).trim()), logProbability, score,
      // A class token stands before the patches.
      ...(attention && shape ? { attention: captionAttention(attention, shape, { prefix: 1, aspect }) } : {}),
    };
  }

  /** Writes a checkpoint folder that `load` reads, and Python's transformers. */
  save(folder: string): void { save(folder, this.checkpoint); }

  dispose(): void { this.model.dispose(); }
}
