import { tf } from '../engine';
import { mergeGenerationOptions } from '../generation';
import type { ImageSource } from '../images';
import { load, save, SmolVLMForConditionalGeneration, SmolVLMProcessor, type Checkpoint } from '../models';
import type { Module } from '../nn';
import type { ChatMessage } from '../tokenizers';
import type { Caption, Captioner, CaptionOptions } from './captioner';

export interface SmolVLMCaptionerOptions {
  /** What the model is asked about each picture. */
  question?: string;
  /** What holds unless an option of a call says otherwise. */
  generation?: CaptionOptions;
}

/** SmolVLM asked to describe pictures, one chat a picture, without having been trained on the data: report 000's zero-shot baseline. */
export class SmolVLMCaptioner implements Captioner {
  readonly model: SmolVLMForConditionalGeneration;
  readonly processor: SmolVLMProcessor;
  private readonly prompt: string;

  constructor(private readonly checkpoint: Checkpoint<SmolVLMForConditionalGeneration>, private readonly options: SmolVLMCaptionerOptions = {}) {
    const { model, processor } = checkpoint;
    if (!model || !(processor instanceof SmolVLMProcessor)) throw new Error('The checkpoint is not a whole SmolVLM: weights, processor and tokenizer are needed.');
    [this.model, this.processor] = [model, processor];
    const conversation: ChatMessage[] = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: options.question ?? 'Describe this image in one sentence.' }] }];
    this.prompt = processor.applyChatTemplate(conversation, { addGenerationPrompt: true });
  }

  /** A folder or a name that `load` understands, such as smolvlm-256m. */
  static load(nameOrFolder: string, options: SmolVLMCaptionerOptions = {}): SmolVLMCaptioner {
    const checkpoint = load(nameOrFolder, { as: SmolVLMForConditionalGeneration });
    try { return new SmolVLMCaptioner(checkpoint, options); } catch (error) {
      checkpoint.model.dispose();
      throw error;
    }
  }

  get networks(): readonly Module[] { return [this.model]; }

  async caption(images: readonly ImageSource[], options: CaptionOptions = {}): Promise<Caption[]> {
    const { batchSize = 4, outputAttentions: _, ...given } = options;
    const { batchSize: __, outputAttentions: ___, ...defaults } = this.options.generation ?? {};
    const { tokenizer } = this.processor, captions: Caption[] = [];
    for (let from = 0; from < images.length; from += batchSize) {
      const pictures = images.slice(from, from + batchSize);
      const inputs = await this.processor.process({ text: pictures.map(() => this.prompt), images: pictures.map((picture) => [picture]) });
      try {
        const { hypotheses } = this.model.generate({ ...inputs }, mergeGenerationOptions(defaults, given));
        captions.push(...hypotheses.map(([{ tokens, logProbability, score }]) => ({
          text: tokenizer.decode(tokens, { skipSpecialTokens: true }).trim(), tokens, words: tokens.map((id) => tokenizer.decode([id]).trim()), logProbability, score,
        })));
      } finally {
        tf.dispose(inputs as never);
      }
    }
    return captions;
  }

  /** Writes a checkpoint folder that `load` reads, and Python's transformers. */
  save(folder: string): void { save(folder, this.checkpoint); }

  dispose(): void { this.model.dispose(); }
}
