/** Report 002, part I: ResNet-101 and Show, Attend and Tell's LSTM, beside BLIP. `small` and `full` differ in values only. */
import {
  AttentionLstmDecoder, attentionLstmDefaults, FeatureCaptioner, type AttentionLstmConfig, type CaptionOptions, type ImageEncoder,
} from '../captioners';
import type { CaptionDataset } from '../datasets';
import type { Random } from '../engine';
import { WordVocabulary } from '../tokenizers';
import type { DatasetChoice } from './dataset';
import type { EncoderChoice } from './encoder';
import type { TrainingSettings } from './feature-captioning';
import type { Profile } from './profile';

export interface ShowAttendTellConfig extends DatasetChoice {
  encoder: EncoderChoice;
  decoder: Omit<AttentionLstmConfig, 'vocabSize' | 'featureSize'>;
  /** Words seen less often in the training captions become <unk>. */
  minCount: number;
  training: TrainingSettings;
  /** Of the control that is shown no picture: language alone is soon learnt. */
  controlEpochs: number;
  /** Chosen on the validation pictures, as how beams of different lengths compare. */
  lengthPenalty: number;
  /** Beams of the captions that are compared. */
  numBeams: number;
  /** The BLIP beside it, and how it captions. */
  blip: { checkpoint: string; generation: CaptionOptions };
  /** Test pictures whose words are explained, the first ones. */
  explained: number;
}

export const showAttendTell: Record<Profile, ShowAttendTellConfig> = {
  small: {
    dataset: 'scenes',
    encoder: { checkpoint: 'resnet101-scenes', processor: {} },
    decoder: { ...attentionLstmDefaults, embedSize: 128, hiddenSize: 256, attentionSize: 128 },
    minCount: 2,
    training: { epochs: 3, batchSize: 32, learningRate: 1e-3, maxWords: 20, seed: 42, maxGradNorm: 5, topAccuracy: 5 },
    controlEpochs: 1,
    lengthPenalty: 0.7,
    numBeams: 5,
    blip: { checkpoint: 'blip-scenes', generation: { maxNewTokens: 20 } },
    explained: 100,
  },
  full: {
    dataset: 'flickr8k',
    // The whole photograph, stretched, in 7×7 positions.
    encoder: { checkpoint: 'resnet101', processor: { size: { height: 224, width: 224 }, doCenterCrop: false } },
    decoder: attentionLstmDefaults,
    minCount: 5,
    training: { epochs: 10, batchSize: 32, learningRate: 4e-4, maxWords: 50, seed: 42, maxGradNorm: 5, topAccuracy: 5 },
    controlEpochs: 3,
    lengthPenalty: 0.7,
    numBeams: 5,
    blip: { checkpoint: 'blip-base', generation: { maxNewTokens: 20, numBeams: 3 } },
    explained: 20,
  },
};

/** BLEU-4 that the report prints: its own captioner, trained on COCO, and BLIP's. */
export const reportedShowAttendTell = { captioner: 0.1148, blip: 0.2734 } as const;

/** An untrained captioner; `random` also draws its dropout, so hand the same one to the training. */
export function buildShowAttendTell(
  config: Pick<ShowAttendTellConfig, 'decoder' | 'minCount' | 'training' | 'lengthPenalty'>,
  dataset: CaptionDataset, encoder: ImageEncoder, random: Random,
): FeatureCaptioner<AttentionLstmDecoder> {
  const vocabulary = WordVocabulary.fromCaptions(dataset.split('train').captions(), { minCount: config.minCount });
  const decoder = new AttentionLstmDecoder({ ...config.decoder, vocabSize: vocabulary.size, featureSize: encoder.featureSize }, random);
  const { lengthPenalty, training: { maxWords } } = config;
  return new FeatureCaptioner(encoder, decoder, vocabulary, { maxNewTokens: maxWords + 1, lengthPenalty });
}
