/** Report 003: MobileNetV2, additive attention and GRU. `small` and `full` differ in values only. */
import { FeatureCaptioner, AttentionGruDecoder, attentionGruDefaults, type AttentionGruConfig, type ImageEncoder } from '../captioners';
import type { CaptionDataset } from '../datasets';
import { Random } from '../engine';
import { WordVocabulary } from '../tokenizers';
import type { DatasetChoice } from './dataset';
import type { EncoderChoice } from './encoder';
import type { TrainingSettings } from './feature-captioning';
import type { Profile } from './profile';

export interface MobileNetGruConfig extends DatasetChoice {
  encoder: EncoderChoice;
  decoder: Pick<AttentionGruConfig, 'embedSize' | 'hiddenSize' | 'dropout' | 'attentionFrom'>;
  /** Words seen less often in the training captions become <unk>. */
  minCount: number;
  training: TrainingSettings;
  /** Chosen on the validation pictures: by the mean log-probability alone (1) beams favour long captions. */
  lengthPenalty: number;
}

const { embedSize, hiddenSize, dropout, attentionFrom } = attentionGruDefaults;

export const mobileNetGru: Record<Profile, MobileNetGruConfig> = {
  small: {
    dataset: 'scenes',
    encoder: { checkpoint: 'mobilenet_v2-scenes', processor: {} },
    decoder: { embedSize: 128, hiddenSize: 256, dropout, attentionFrom },
    minCount: 2,
    training: { epochs: 5, batchSize: 32, learningRate: 1e-3, maxWords: 20, seed: 42 },
    lengthPenalty: 0.7,
  },
  full: {
    dataset: 'flickr8k',
    encoder: {
      checkpoint: 'mobilenet_v2',
      // The whole photograph, stretched, as the report's 7×7 grid of the full picture.
      processor: { size: { height: 224, width: 224 }, doCenterCrop: false },
    },
    decoder: { embedSize, hiddenSize, dropout, attentionFrom },
    minCount: 5,
    training: { epochs: 10, batchSize: 32, learningRate: 1e-3, maxWords: 20, seed: 42 },
    lengthPenalty: 0.7,
  },
};

/** An untrained captioner; `random` also draws its dropout, so hand the same one to the training. */
export function buildCaptioner(
  config: Pick<MobileNetGruConfig, 'decoder' | 'minCount' | 'training' | 'lengthPenalty'>,
  dataset: CaptionDataset, encoder: ImageEncoder, random: Random,
): FeatureCaptioner {
  const vocabulary = WordVocabulary.fromCaptions(dataset.split('train').captions(), { minCount: config.minCount });
  const decoder = new AttentionGruDecoder({
    ...attentionGruDefaults, ...config.decoder, vocabSize: vocabulary.size, featureSize: encoder.featureSize, padId: vocabulary.padId,
  }, random);
  return new FeatureCaptioner(encoder, decoder, vocabulary, { maxNewTokens: config.training.maxWords + 1, lengthPenalty: config.lengthPenalty });
}
