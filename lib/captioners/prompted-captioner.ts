import { tf, type Tensor } from '../engine';
import type { ImageSource } from '../images';
import { load, save, VisionEncoderDecoderModel, type CaptioningInputs, type Checkpoint, type ConfigJson } from '../models';
import { promptIdsOf, PromptedTokenizer } from '../tokenizers';
import type { Caption, CaptionOptions } from './captioner';
import { Gpt2Decoder, type PositionsFrom } from './gpt2-decoder';
import type { ImageEncoder } from './image-encoder';
import { PretrainedCaptioner, type PretrainedCaptionerOptions } from './pretrained-captioner';

export interface PromptedCaptionerOptions extends PretrainedCaptionerOptions {
  /** What every caption begins with, such as report 001's "Image Caption: "; not part of the text that comes back. */
  prompt: string;
  /** In training; default 'text'. */
  positionsFrom?: PositionsFrom;
  /** Whose network the model's encoder is; it goes with the captioner. */
  encoder?: ImageEncoder;
}

export interface PromptedCaptionOptions extends CaptionOptions {
  /** In place of the captioner's own: one for all pictures, or one for each; shorter ones are padded on the left. */
  prompt?: string | readonly string[];
}

/** Where config.json keeps the prompt: transformers' place for what a task puts before its texts. */
const TASK = 'image-to-text';

/** The prompt that a captioner was saved with, if any. */
export function savedPrompt(config: ConfigJson | null | undefined): string | undefined {
  const tasks = config?.task_specific_params as Record<string, { prefix?: unknown } | undefined> | null | undefined;
  const prefix = tasks?.[TASK]?.prefix;
  return typeof prefix === 'string' ? prefix : undefined;
}

/**
 * Report 001, part B: ViT and GPT-2, every caption the continuation of a prompt. The ViT is frozen and its states are kept, so that
 * training and captioning of known pictures take the decoder alone.
 */
export class PromptedCaptioner extends PretrainedCaptioner<VisionEncoderDecoderModel> {
  /** What is trained. */
  readonly decoder: Gpt2Decoder;
  readonly vocabulary: PromptedTokenizer;
  private readonly imageEncoder?: ImageEncoder;

  constructor(checkpoint: Checkpoint<VisionEncoderDecoderModel>, options: PromptedCaptionerOptions) {
    const { prompt, positionsFrom, encoder, ...rest } = options;
    super(checkpoint, rest);
    this.imageEncoder = encoder;
    this.decoder = new Gpt2Decoder(this.model, positionsFrom);
    this.vocabulary = new PromptedTokenizer(this.tokenizer, prompt);
  }

  /** A folder that `save` wrote, or any ViT and GPT-2 with a prompt given here. */
  static override load(nameOrFolder: string, options: Partial<PromptedCaptionerOptions> = {}): PromptedCaptioner {
    const checkpoint = load(nameOrFolder, { as: VisionEncoderDecoderModel });
    try {
      const prompt = options.prompt ?? savedPrompt(checkpoint.config);
      if (prompt === undefined) {
        throw new Error(`${nameOrFolder} was saved without a prompt: give one, or load it as a PretrainedCaptioner.`);
      }
      return new PromptedCaptioner(checkpoint, { ...options, prompt });
    } catch (error) {
      checkpoint.model.dispose();
      throw error;
    }
  }

  /** `prompt` stands in place of the captioner's own. */
  override caption(images: readonly ImageSource[], options: CaptionOptions & { prompt?: string } = {}): Promise<Caption[]> {
    return super.caption(images, options);
  }

  /** As `caption`, from the encoder's last hidden state (B, S, F), for instance out of the feature cache. */
  captionFeatures(features: Tensor, options: PromptedCaptionOptions = {}): Caption[] {
    const { width, height } = this.processor.outputSize ?? { width: 1, height: 1 };
    return this.beamsOf({ encoderLastHiddenState: features }, width / height, options).map(([best]) => best);
  }

  protected override beamsOf(inputs: CaptioningInputs, aspect: number, given: PromptedCaptionOptions): Caption[][] {
    const { prompt = this.vocabulary.prompt, ...options } = given;
    const [images] = (inputs.pixelValues ?? inputs.encoderLastHiddenState)!.shape;
    const prompts = typeof prompt === 'string' ? Array.from({ length: images }, () => prompt) : prompt;
    if (prompts.length !== images) throw new Error(`${prompts.length} prompts for ${images} pictures: give one for each, or one for all.`);
    const { startId, padId } = this.vocabulary, rows = prompts.map((text) => [startId, ...promptIdsOf(this.tokenizer, text)]);
    const length = Math.max(...rows.map((row) => row.length));
    const filled = (value: (id: number) => number, filling: number) => tf.tensor2d(
      rows.map((row) => [...new Array<number>(length - row.length).fill(filling), ...row.map(value)]), undefined, 'int32');
    const decoderInputIds = filled((id) => id, padId), decoderAttentionMask = filled(() => 1, 0);
    try {
      return super.beamsOf({ ...inputs, decoderInputIds, decoderAttentionMask } as never, aspect, options);
    } finally {
      tf.dispose([decoderInputIds, decoderAttentionMask]);
    }
  }

  override save(folder: string): void {
    const { config } = this.checkpoint, tasks = config?.task_specific_params as object | undefined;
    const prefix = { [TASK]: { prefix: this.vocabulary.prompt } };
    save(folder, { ...this.checkpoint, config: { ...config, task_specific_params: { ...tasks, ...prefix } } });
  }

  override dispose(): void {
    super.dispose();
    this.imageEncoder?.dispose();
  }
}
