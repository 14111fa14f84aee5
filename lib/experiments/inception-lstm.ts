/** Report 001, part A: InceptionResNetV2 and an LSTM whose first input is the picture. `small` and `full` differ in values only. */
import { FeatureCaptioner, LstmDecoder, lstmDecoderDefaults, type ImageEncoder, type LstmDecoderConfig } from '../captioners';
import type { CaptionDataset } from '../datasets';
import type { Random } from '../engine';
import { SentencePieceBpe } from '../tokenizers';
import { featureStatistics, type PictureFeatures } from '../training';
import type { DatasetChoice } from './dataset';
import type { TrainingSettings } from './feature-captioning';
import type { EncoderChoice } from './encoder';
import type { Profile } from './profile';

export interface InceptionLstmConfig extends DatasetChoice {
  encoder: EncoderChoice;
  decoder: Omit<LstmDecoderConfig, 'vocabSize' | 'featureSize'>;
  /** Byte-pair pieces, trained on the training captions. */
  vocabularySize: number;
  training: TrainingSettings;
  /** Epochs of the control that is shown no picture; it has nothing to learn but the language. */
  controlEpochs: number;
}

export const inceptionLstm: Record<Profile, InceptionLstmConfig> = {
  small: {
    dataset: 'scenes',
    // Few enough that the captioner comes to know them by heart within a minute, which is when validation loss rises.
    trainingPictures: 800,
    encoder: { checkpoint: 'inception_resnet_v2-scenes', pool: true },
    decoder: { ...lstmDecoderDefaults, embedSize: 128, hiddenSize: 128 },
    vocabularySize: 600,
    training: {
      epochs: 10, batchSize: 64, learningRate: 8e-3, weightDecay: 0.01, maxGradNorm: 1, schedule: { shape: 'linear', warmupSteps: 20 },
      maxWords: 40, seed: 42, generateEvery: 2, keepEvery: 4,
    },
    controlEpochs: 4,
  },
  full: {
    dataset: 'flickr8k',
    // The whole photograph, stretched.
    encoder: { checkpoint: 'inception-resnet-v2', processor: { size: { height: 299, width: 299 }, doCenterCrop: false }, pool: true },
    decoder: lstmDecoderDefaults,
    vocabularySize: 8000,
    // Weight decay is PyTorch's default for AdamW; no caption of Flickr8k has more than 41 pieces.
    training: {
      epochs: 300, batchSize: 64, learningRate: 1e-3, weightDecay: 0.01, maxWords: 48, seed: 42, generateEvery: 5, keepEvery: 100,
    },
    controlEpochs: 20,
  },
};

/** Test scores that the report prints for its own data; it does not say which BLEU or CIDEr these are. */
export const reportedInceptionLstm = { BLEU: 0.42, ROUGE_L: 0.326, CIDEr: 0.09 } as const;

/**
 * An untrained captioner; `random` also draws its dropout, so hand the same one to the training.
 *
 * @param features of the training pictures, by which features are standardised
 */
export function buildInceptionLstm(
  config: InceptionLstmConfig, dataset: CaptionDataset, encoder: ImageEncoder, features: PictureFeatures, random: Random,
): FeatureCaptioner<LstmDecoder> {
  const training = dataset.split('train'), statistics = featureStatistics(features, training.records.map(({ id }) => id));
  const vocabulary = SentencePieceBpe.train(training.captions(), { vocabularySize: config.vocabularySize });
  const decoder = new LstmDecoder({ ...config.decoder, standardizeFeatures: true, vocabSize: vocabulary.size, featureSize: encoder.featureSize }, random);
  decoder.standardize(statistics);
  return new FeatureCaptioner(encoder, decoder, vocabulary, { maxNewTokens: config.training.maxWords + 1, lengthPenalty: 1 });
}
