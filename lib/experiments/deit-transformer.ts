/** Report 004, problem 2: DeiT-III and a Transformer decoder. `small` and `full` differ in values only. */
import {
  FeatureCaptioner, TransformerDecoder, transformerDecoderDefaults, type ImageEncoder, type TransformerDecoderConfig,
} from '../captioners';
import type { CaptionDataset } from '../datasets';
import type { Random } from '../engine';
import { WordVocabulary } from '../tokenizers';
import type { DatasetChoice } from './dataset';
import type { EncoderChoice } from './encoder';
import type { TrainingSettings } from './feature-captioning';
import type { Profile } from './profile';

/** What decides over a captioner and its training. */
export interface TransformerCaptionerConfig {
  encoder: EncoderChoice;
  decoder: Omit<TransformerDecoderConfig, 'vocabSize' | 'featureSize'>;
  /** Words seen less often in the training captions become <unk>. */
  minCount: number;
  training: TrainingSettings;
  /** How beams of different lengths compare. */
  lengthPenalty: number;
}

/** What a row of the sweep has otherwise than the experiment. */
export interface TransformerChanges {
  encoder?: EncoderChoice;
  decoder?: Partial<TransformerCaptionerConfig['decoder']>;
  training?: Partial<TrainingSettings>;
}

export interface DeitTransformerConfig extends DatasetChoice, TransformerCaptionerConfig {
  /** Epochs of the control that is shown no picture; it has nothing to learn but the language. */
  controlEpochs: number;
  /** One captioner a row. */
  sweep: readonly TransformerChanges[];
  /** Beams of the captions that are shown. */
  numBeams: number;
  /** The sizes of beams that are compared, 1 for greedy, and how many pictures go through the search together. */
  beams: { sizes: readonly number[]; batchSize: number };
  /** CLIP of the scores. */
  clip: string;
}

/** The whole photograph, stretched to the network's size. */
const wholePicture = { size: { height: 224, width: 224 }, doCenterCrop: false };
const deit3: EncoderChoice = { checkpoint: 'deit3-large', processor: wholePicture };
const vit: EncoderChoice = { checkpoint: 'vit-large-timm', processor: wholePicture };
const smallVit: EncoderChoice = { checkpoint: 'vit-scenes' };
const short = { epochs: 3, generateEvery: 3 };

export const deitTransformer: Record<Profile, DeitTransformerConfig> = {
  small: {
    dataset: 'scenes',
    encoder: { checkpoint: 'deit3-scenes' },
    decoder: { ...transformerDecoderDefaults, hiddenSize: 128, numLayers: 2, numHeads: 4, feedForwardSize: 256, maxPositions: 32 },
    minCount: 2,
    training: {
      epochs: 8, batchSize: 32, learningRate: 2e-3, weightDecay: 0.01, maxWords: 20, seed: 42, captionsPerEpoch: 'one', generateEvery: 2,
      schedule: { shape: 'cosine', warmupSteps: 30 }, precision: 'float32',
    },
    lengthPenalty: 1,
    controlEpochs: 2,
    sweep: [
      { encoder: smallVit, training: short },
      { training: short },
      { training: { ...short, precision: 'bfloat16' } },
      { decoder: { numLayers: 4, numHeads: 8 }, training: short },
    ],
    numBeams: 3,
    beams: { sizes: [1, 3, 5, 10, 15, 100], batchSize: 10 },
    clip: 'clip-scenes',
  },
  full: {
    dataset: 'flickr8k',
    encoder: deit3,
    decoder: { ...transformerDecoderDefaults },
    minCount: 5,
    // Texts of 30 tokens, start and end counted; weight decay is PyTorch's default for AdamW.
    training: {
      epochs: 5, batchSize: 32, learningRate: 5e-5, weightDecay: 0.01, maxWords: 28, seed: 42,
      schedule: { shape: 'cosine', warmupSteps: 1000 }, precision: 'bfloat16',
    },
    lengthPenalty: 1,
    controlEpochs: 2,
    sweep: [
      { encoder: vit, decoder: { numLayers: 6, numHeads: 8 } },
      { encoder: vit, decoder: { numLayers: 8, numHeads: 16 } },
      { encoder: vit, decoder: { numLayers: 6, numHeads: 16 } },
      { decoder: { numLayers: 8, numHeads: 16 } },
      { training: { batchSize: 8 } },
      { decoder: { numLayers: 8, numHeads: 8 } },
    ],
    numBeams: 3,
    beams: { sizes: [1, 3, 4, 5, 6, 7, 8, 9, 10, 15, 100], batchSize: 4 },
    clip: 'clip-vit-base-patch32',
  },
};

/** The report's tables, on the validation pictures of its course: other settings, captioned greedily, and its best captioner's beams. */
export const reportedDeitTransformer = {
  sweep: [
    { encoder: 'vit_large_patch16_224', numLayers: 6, numHeads: 8, batchSize: 32, CIDEr: 0.787, CLIPScore: 0.719 },
    { encoder: 'vit_large_patch16_224', numLayers: 8, numHeads: 16, batchSize: 32, CIDEr: 0.815, CLIPScore: 0.714 },
    { encoder: 'vit_large_patch16_224', numLayers: 6, numHeads: 16, batchSize: 32, CIDEr: 0.827, CLIPScore: 0.718 },
    { encoder: 'deit3_large_patch16_224_in21ft1k', numLayers: 8, numHeads: 16, batchSize: 32, CIDEr: 0.866, CLIPScore: 0.725 },
    { encoder: 'deit3_large_patch16_224_in21ft1k', numLayers: 4, numHeads: 8, batchSize: 8, CIDEr: 0.893, CLIPScore: 0.732 },
    { encoder: 'deit3_large_patch16_224_in21ft1k', numLayers: 8, numHeads: 8, batchSize: 32, CIDEr: 0.901, CLIPScore: 0.73 },
  ],
  beams: [
    { beams: 1, CIDEr: 0.8932, CLIPScore: 0.732 },
    { beams: 3, CIDEr: 0.9413, CLIPScore: 0.7311 },
    { beams: 4, CIDEr: 0.9448, CLIPScore: 0.7305 },
    { beams: 5, CIDEr: 0.9409, CLIPScore: 0.7291 },
    { beams: 6, CIDEr: 0.9469, CLIPScore: 0.7277 },
    { beams: 7, CIDEr: 0.9477, CLIPScore: 0.7275 },
    { beams: 8, CIDEr: 0.9499, CLIPScore: 0.7276 },
    { beams: 9, CIDEr: 0.9492, CLIPScore: 0.7276 },
    { beams: 10, CIDEr: 0.9453, CLIPScore: 0.7267 },
    { beams: 15, CIDEr: 0.9525, CLIPScore: 0.727 },
    { beams: 100, CIDEr: 0.9539, CLIPScore: 0.7257 },
  ],
} as const;

/** The captioner of a row of the sweep. */
export const withChanges = <C extends TransformerCaptionerConfig>(
  config: C, { encoder = config.encoder, decoder, training }: TransformerChanges,
): C =>
  ({ ...config, encoder, decoder: { ...config.decoder, ...decoder }, training: { ...config.training, ...training } });

/** An untrained captioner; `random` also draws its dropout, so hand the same one to the training. */
export function buildDeitTransformer(
  config: Omit<TransformerCaptionerConfig, 'encoder'>, dataset: CaptionDataset, encoder: ImageEncoder, random: Random,
): FeatureCaptioner<TransformerDecoder> {
  const vocabulary = WordVocabulary.fromCaptions(dataset.split('train').captions(), { minCount: config.minCount });
  const decoder = new TransformerDecoder({ ...config.decoder, vocabSize: vocabulary.size, featureSize: encoder.featureSize }, random);
  const { lengthPenalty, training: { maxWords } } = config;
  return new FeatureCaptioner(encoder, decoder, vocabulary, { maxNewTokens: maxWords + 1, lengthPenalty });
}
