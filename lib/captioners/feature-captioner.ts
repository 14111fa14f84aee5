import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { Random, type Tensor } from '../engine';
import { generate, mergeGenerationOptions, type Hypothesis } from '../generation';
import type { ImageSource } from '../images';
import { buildToFit, parseConfig, readJsonObject, toSnakeCase } from '../models';
import type { Module } from '../nn';
import { SentencePieceBpe, WordVocabulary, type CaptionVocabulary } from '../tokenizers';
import { loadState, openWeights, saveState } from '../weights';
import { AttentionGruDecoder } from './attention-gru-decoder';
import { AttentionLstmDecoder } from './attention-lstm-decoder';
import { captionAttention } from './caption-attention';
import type { CaptionDecoder } from './caption-decoder';
import type { Caption, Captioner, CaptionOptions } from './captioner';
import { ImageEncoder } from './image-encoder';
import { LstmDecoder } from './lstm-decoder';
import { TransformerDecoder } from './transformer-decoder';

const size = z.number().int().positive().max(1_000_000);
const dropout = z.number().min(0).lt(1);
const generation = { maxNewTokens: size, lengthPenalty: z.number() };

/** Decoders by the model_type of config.json, with the schema of what describes them. */
const kinds = [
  {
    decoder: AttentionGruDecoder,
    schema: z.object({
      vocabSize: size, featureSize: size, embedSize: size, hiddenSize: size, dropout, attentionFrom: z.enum(['hiddenState',
        'initialState']),
      padId: z.number().int().nonnegative(),
    }),
  },
  {
    decoder: AttentionLstmDecoder,
    schema: z.object({
      vocabSize: size, featureSize: size, embedSize: size, hiddenSize: size, attentionSize: size, dropout,
        attentionActivation: z.enum(['tanh', 'relu']),
      attentionPenalty: z.number().min(0),
    }),
  },
  {
    decoder: LstmDecoder,
    schema: z.object({
      vocabSize: size, featureSize: size, embedSize: size, hiddenSize: size, numLayers: size, dropout,
        standardizeFeatures: z.boolean().optional(),
    }),
  },
  {
    decoder: TransformerDecoder,
    schema: z.object({
      vocabSize: size, featureSize: size, hiddenSize: size, numLayers: size, numHeads: size, feedForwardSize: size,
        activation: z.enum(['gelu', 'relu']), dropout,
      maxPositions: size,
    }),
  },
] as const;

/** Files that hold a vocabulary, and what reads them. */
const vocabularies: readonly { file: string; of: typeof WordVocabulary | typeof SentencePieceBpe }[] =
  [{ file: 'tokenizer.json', of: WordVocabulary }, { file: 'sentencepiece.vocab', of: SentencePieceBpe }];

/** A captioner's own defaults: most words with the end token, and how beams of different lengths compare. */
export type CaptionerGeneration = Required<Pick<CaptionOptions, 'maxNewTokens' | 'lengthPenalty'>>;

/** Reports 001 A, 002, 003 and 004 as a whole: a frozen image encoder, a decoder of its features and the words it was trained on. */
export class FeatureCaptioner<D extends CaptionDecoder = CaptionDecoder> implements Captioner {
  /** What config.json says of those that `load` reads. */
  static readonly modelTypes: readonly string[] = kinds.map(({ decoder }) => decoder.modelType);

  /** @param generation what holds unless an option of a call says otherwise */
  constructor(readonly encoder: ImageEncoder, readonly decoder: D, readonly vocabulary: CaptionVocabulary,
    readonly generation: CaptionerGeneration = { maxNewTokens: 21, lengthPenalty: 1 }) {
    if (encoder.featureSize !== decoder.config.featureSize) {
      throw new Error(`The encoder gives ${encoder.featureSize} features, the decoder takes ${decoder.config.featureSize}.`);
    }
    if (vocabulary.size !== decoder.config.vocabSize) throw new Error(`The vocabulary has ${vocabulary.size} words, the decoder ${decoder.config.vocabSize}.`);
  }

  get networks(): readonly Module[] { return [this.encoder.network, this.decoder]; }

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
    return this.captionBeams(features, options).map(([best]) => best);
  }

  /** All beams of each picture, best first. */
  captionBeams(features: Tensor, options: CaptionOptions = {}): Caption[][] {
    const { hypotheses, shape } = this.search(features, options);
    return hypotheses.map((beams) => beams.map((beam) => this.describe(beam, shape)));
  }

  private search(features: Tensor, options: CaptionOptions): { hypotheses: Hypothesis[][]; shape: readonly number[] } {
    const { startId, endId, padId, unkId } = this.vocabulary;
    const { batchSize: _, outputAttentions, ...given } = options;
    const decoder = this.decoder.stepDecoder(features, { outputAttentions });
    const prompt = { promptIds: Array.from({ length: features.shape[0] }, () => [startId]), eosTokenId: endId, padTokenId: padId };
    const suppressTokens = [...new Set([padId, startId, unkId])].filter((id) => id !== endId);
    try {
      const { hypotheses } = generate(decoder, prompt, mergeGenerationOptions({ ...this.generation, suppressTokens }, given));
      return { hypotheses, shape: decoder.attentionShape ?? [] };
    } finally {
      decoder.dispose();
    }
  }

  private describe({ tokens, logProbability, score, attention }: Hypothesis, shape: readonly number[]): Caption {
    return {
      text: this.vocabulary.decode(tokens), tokens, words: tokens.map((id) => this.vocabulary.word(id)), logProbability, score,
      ...(attention ? { attention: captionAttention(attention, shape, { prefix: this.encoder.prefix,
        aspect: this.encoder.grid[1] / this.encoder.grid[0] }) } : {}),
    };
  }

  save(folder: string): void {
    const kind = kinds.find((one) => this.decoder instanceof one.decoder);
    const vocabulary = vocabularies.find((one) => this.vocabulary instanceof one.of);
    if (!kind || !vocabulary) throw new Error(`A captioner of ${this.decoder.constructor.name} and ${this.vocabulary.constructor.name} has no layout to be saved in.`);
    const temporary = `${folder}.${process.pid}.tmp`;
    fs.rmSync(temporary, { recursive: true, force: true });
    fs.mkdirSync(temporary, { recursive: true });
    const config = toSnakeCase({ modelType: kind.decoder.modelType, ...this.decoder.config, ...this.generation });
    fs.writeFileSync(path.join(temporary, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
    saveState(this.decoder, path.join(temporary, 'model.safetensors'));
    this.vocabulary.save(path.join(temporary, vocabulary.file));
    this.encoder.save(path.join(temporary, 'encoder'));
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(temporary, folder);
  }

  /** @throws Error naming the file and the key that is wrong */
  static load(folder: string): FeatureCaptioner {
    const file = path.join(folder, 'config.json');
    const json = readJsonObject(folder, 'config.json');
    if (!json) throw new Error(`${file} cannot be read: expected a folder that FeatureCaptioner.save wrote.`);
    const kind = kinds.find((one) => one.decoder.modelType === json.model_type);
    if (!kind) throw new Error(`${file}: model_type is ${String(json.model_type)}: expected one of ${kinds.map((one) => one.decoder.modelType).join(', ')}.`);
    const vocabulary = vocabularies.find((one) => fs.existsSync(path.join(folder, one.file)));
    if (!vocabulary) throw new Error(`${folder} has no vocabulary: expected ${vocabularies.map((one) => one.file).join(' or ')}.`);
    const settings = parseConfig<never>(json, kind.schema as unknown as z.ZodType<never>, file), defaults = parseConfig(json,
      z.object(generation), file);
    const words = vocabulary.of.load(path.join(folder, vocabulary.file));
    const encoder = ImageEncoder.load(path.join(folder, 'encoder'));
    let decoder: CaptionDecoder | undefined;
    try {
      decoder = loadDecoder(path.join(folder, 'model.safetensors'), file, () => new kind.decoder(settings, new Random(0)));
      return new FeatureCaptioner(encoder, decoder, words, defaults);
    } catch (error) {
      encoder.dispose();
      decoder?.dispose();
      throw error;
    }
  }

  dispose(): void { this.decoder.dispose(); this.encoder.dispose(); }
}

/** A decoder with the weights of a file, as `make` builds it from the settings of `config`. */
function loadDecoder(weights: string, config: string, make: () => CaptionDecoder): CaptionDecoder {
  const source = openWeights(weights);
  let decoder: CaptionDecoder | undefined;
  try {
    decoder = buildToFit(source, config, make);
    loadState(decoder, source);
    return decoder;
  } catch (error) {
    decoder?.dispose();
    throw error;
  } finally {
    source.close();
  }
}
