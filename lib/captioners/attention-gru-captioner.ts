import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { Random, type Tensor } from '../engine';
import { generate, mergeGenerationOptions, type Hypothesis } from '../generation';
import type { ImageSource } from '../images';
import { WordVocabulary } from '../tokenizers';
import { loadState, saveState } from '../weights';
import { AttentionGruDecoder } from './attention-gru-decoder';
import type { Caption, Captioner, CaptionOptions } from './captioner';
import { ImageEncoder } from './image-encoder';

const configSchema = z.object({
  model_type: z.literal('attention_gru_captioner'),
  vocab_size: z.number().int().positive(),
  feature_size: z.number().int().positive(),
  embed_size: z.number().int().positive(),
  hidden_size: z.number().int().positive(),
  dropout: z.number().min(0).max(1),
  attention_from: z.enum(['hiddenState', 'initialState']),
  pad_id: z.number().int().nonnegative(),
  max_new_tokens: z.number().int().positive(),
  length_penalty: z.number(),
});

/** A captioner's own defaults: most words with the end token, and how beams of different lengths compare. */
export type CaptionerGeneration = Required<Pick<CaptionOptions, 'maxNewTokens' | 'lengthPenalty'>>;

/** Report 003 as a whole: frozen MobileNetV2, decoder, vocabulary. */
export class AttentionGruCaptioner implements Captioner {
  /** @param generation what holds unless an option of a call says otherwise */
  constructor(readonly encoder: ImageEncoder, readonly decoder: AttentionGruDecoder, readonly vocabulary: WordVocabulary,
    readonly generation: CaptionerGeneration = { maxNewTokens: 21, lengthPenalty: 1 }) {
    if (encoder.featureSize !== decoder.config.featureSize) {
      throw new Error(`The encoder gives ${encoder.featureSize} features, the decoder takes ${decoder.config.featureSize}.`);
    }
    if (vocabulary.size !== decoder.config.vocabSize) throw new Error(`The vocabulary has ${vocabulary.size} words, the decoder ${decoder.config.vocabSize}.`);
  }

  async caption(images: readonly ImageSource[], { batchSize = 32, ...options }: CaptionOptions = {}): Promise<Caption[]> {
    const captions: Caption[] = [];
    for (let from = 0; from < images.length; from += batchSize) {
      const features = this.encoder.encode(await this.encoder.processor.batch(images.slice(from, from + batchSize)));
      try { captions.push(...this.captionFeatures(features, options)); } finally { features.dispose(); }
    }
    return captions;
  }

  /** As `caption`, from the encoder's features (B, positions, featureSize), for instance out of the feature cache. */
  captionFeatures(features: Tensor, options: CaptionOptions = {}): Caption[] {
    return this.hypotheses(features, options).map(([best]) => this.describe(best));
  }

  /** All beams of each picture, best first. */
  captionBeams(features: Tensor, options: CaptionOptions = {}): Caption[][] {
    return this.hypotheses(features, options).map((beams) => beams.map((beam) => this.describe(beam)));
  }

  private hypotheses(features: Tensor, options: CaptionOptions): Hypothesis[][] {
    const { startId, endId, padId, unkId } = this.vocabulary;
    const { batchSize: _, ...given } = options;
    const decoder = this.decoder.stepDecoder(features);
    const prompt = { promptIds: Array.from({ length: features.shape[0] }, () => [startId]), eosTokenId: endId, padTokenId: padId };
    try {
      return generate(decoder, prompt, mergeGenerationOptions({ ...this.generation, suppressTokens: [padId, startId, unkId] }, given)).hypotheses;
    } finally {
      decoder.dispose();
    }
  }

  private describe({ tokens, logProbability, score, attention }: Hypothesis): Caption {
    return {
      text: this.vocabulary.decode(tokens), tokens, words: tokens.map((id) => this.vocabulary.word(id)), logProbability, score,
      ...(attention ? { attention: { maps: attention, grid: this.encoder.grid } } : {}),
    };
  }

  save(folder: string): void {
    const temporary = `${folder}.${process.pid}.tmp`;
    fs.rmSync(temporary, { recursive: true, force: true });
    fs.mkdirSync(path.join(temporary, 'encoder'), { recursive: true });
    const { vocabSize, featureSize, embedSize, hiddenSize, dropout, attentionFrom, padId } = this.decoder.config;
    const config: z.infer<typeof configSchema> = {
      model_type: 'attention_gru_captioner', vocab_size: vocabSize, feature_size: featureSize, embed_size: embedSize, hidden_size: hiddenSize,
      dropout, attention_from: attentionFrom, pad_id: padId, max_new_tokens: this.generation.maxNewTokens,
      length_penalty: this.generation.lengthPenalty,
    };
    fs.writeFileSync(path.join(temporary, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
    saveState(this.decoder, path.join(temporary, 'model.safetensors'));
    this.vocabulary.save(path.join(temporary, 'tokenizer.json'));
    for (const file of ['config.json', 'model.safetensors']) fs.copyFileSync(path.join(this.encoder.folder, file), path.join(temporary, 'encoder', file));
    this.encoder.processor.save(path.join(temporary, 'encoder'));
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(temporary, folder);
  }

  static load(folder: string): AttentionGruCaptioner {
    const file = path.join(folder, 'config.json');
    let json: unknown;
    try { json = JSON.parse(fs.readFileSync(file, 'utf8')); } catch (error) {
      throw new Error(`${file} cannot be read (${(error as Error).message}): expected a folder that AttentionGruCaptioner.save wrote.`);
    }
    const parsed = configSchema.safeParse(json);
    if (!parsed.success) throw new Error(`${file}: ${parsed.error.issues[0].path.join('.')}: ${parsed.error.issues[0].message}.`);
    const c = parsed.data;
    const decoder = new AttentionGruDecoder({
      vocabSize: c.vocab_size, featureSize: c.feature_size, embedSize: c.embed_size, hiddenSize: c.hidden_size,
      dropout: c.dropout, attentionFrom: c.attention_from, padId: c.pad_id,
    }, new Random(0));
    loadState(decoder, path.join(folder, 'model.safetensors'));
    return new AttentionGruCaptioner(ImageEncoder.load(path.join(folder, 'encoder')), decoder, WordVocabulary.load(path.join(folder, 'tokenizer.json')),
      { maxNewTokens: c.max_new_tokens, lengthPenalty: c.length_penalty });
  }

  dispose(): void { this.decoder.dispose(); this.encoder.dispose(); }
}
