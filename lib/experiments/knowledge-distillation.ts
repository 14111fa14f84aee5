/** Report 002, part II: a ResNet-101 captioner teaches a smaller one with a ResNet-50. `small` and `full` differ in values only. */
import {
  AttentionLstmDecoder, attentionLstmDefaults, FeatureCaptioner, ImageEncoder, type AttentionLstmConfig,
} from '../captioners';
import { CaptionDataset } from '../datasets';
import { Random } from '../engine';
import type { ImageProcessorOptions } from '../images';
import { WordVocabulary } from '../tokenizers';
import { encodeDataset, type DistillationOptions, type EncodeDatasetOptions, type FeatureCache } from '../training';
import { loadDataset, type DatasetChoice } from './dataset';
import type { TrainingSettings } from './feature-captioning';
import type { Profile } from './profile';

/** One of the two captioners: its encoder's checkpoint, its decoder's sizes, how it is trained. */
export interface DistilledModelConfig {
  checkpoint: string;
  processor: ImageProcessorOptions;
  decoder: Pick<AttentionLstmConfig, 'embedSize' | 'hiddenSize' | 'attentionSize' | 'dropout'>;
  training: TrainingSettings;
}

export interface DistillationConfig extends DatasetChoice {
  teacher: DistilledModelConfig;
  student: DistilledModelConfig;
  /** Share of the training pictures that the teacher sees; the students train on the others. */
  teacherShare: number;
  splitSeed: number;
  /** Words seen less often in the teacher's captions become <unk>, for the students too. */
  minCount: number;
  /**
   * How many of the ResNet's four stages, from the last, a student trains together with its decoder. With 0 the encoder is frozen, and the
   * encoder's term has nothing to act on: rows that ask for it are refused.
   */
  fineTunedStages: 0 | 1 | 2 | 3;
  /** Learning rate of those stages, as a factor on the decoder's: what they learnt on other pictures should be bent, not broken. */
  encoderRate: number;
  /** Of the students: first weights, order of the captions, dropout. */
  seeds: readonly number[];
  /** Beams of the captions that are scored, and of the teacher's that students learn from; how beams of different lengths compare. */
  numBeams: number;
  lengthPenalty: number;
}

/** What a student learns from, with what weights. `beta` 0 is no distillation. */
export interface DistillationRow extends DistillationOptions {
  /** Short, for folders. */
  key: string;
  name: string;
  /** 'teacher': the teacher's beams instead of what people said (Kim and Rush 2016, section 3.2). Default 'people'. */
  captions?: 'people' | 'teacher';
  /** Trains the decoder alone. */
  freezeEncoder?: boolean;
}

const none = { beta: 0, temperature: 1, encoderWeight: 0, decoderWeight: 0 };
const report = { beta: 0.3, encoderWeight: 1, decoderWeight: 1 };

/** The report's table 1. */
export const reportedRows = {
  baseline: { key: 'baseline', name: 'baseline', ...none },
  both5: { key: 'both-5', name: 'both terms, T 5', ...report, temperature: 5 },
  both10: { key: 'both-10', name: 'both terms, T 10', ...report, temperature: 10 },
  both20: { key: 'both-20', name: 'both terms, T 20', ...report, temperature: 20 },
  encoder: { key: 'encoder', name: 'encoder term only', ...report, decoderWeight: 0, temperature: 1 },
  decoder: { key: 'decoder-20', name: 'decoder term only, T 20', ...report, encoderWeight: 0, temperature: 20 },
} as const satisfies Record<string, DistillationRow>;

/** What the report describes without running it, and a control for what it suspects. */
export const furtherRows = {
  sentences: { key: 'sentences', name: "the teacher's sentences", ...none, captions: 'teacher' },
  frozen: { key: 'frozen', name: 'baseline, encoder frozen', ...none, freezeEncoder: true },
} as const satisfies Record<string, DistillationRow>;

/** BLEU-4 in the report's table 1, on COCO. */
export const reportedDistillation: Readonly<Record<'teacher' | keyof typeof reportedRows, number>> =
  { teacher: 0.1148, baseline: 0.1039, both5: 0.1098, both10: 0.1121, both20: 0.1207, encoder: 0.1312, decoder: 0.1104 };

const { embedSize, hiddenSize, attentionSize, dropout } = attentionLstmDefaults;
/** The whole photograph, stretched, in 7×7 positions. */
const wholePicture: ImageProcessorOptions = { size: { height: 224, width: 224 }, doCenterCrop: false };

export const knowledgeDistillation: Record<Profile, DistillationConfig> = {
  small: {
    dataset: 'scenes',
    teacher: {
      checkpoint: 'resnet101-scenes',
      processor: {},
      decoder: { embedSize: 128, hiddenSize: 256, attentionSize: 128, dropout: 0.3 },
      training: {
        epochs: 4, batchSize: 64, learningRate: 8e-3, schedule: { shape: 'cosine', warmupSteps: 10 }, maxWords: 16, maxGradNorm: 5,
        generateEvery: 2, seed: 42,
      },
    },
    student: {
      checkpoint: 'resnet50-scenes',
      processor: {},
      decoder: { embedSize: 64, hiddenSize: 128, attentionSize: 64, dropout: 0.1 },
      // 333 pictures with 5 captions are 45 such batches, none of them smaller: fewer shapes, of each of which a run records a graph.
      training: { epochs: 2, batchSize: 37, learningRate: 6e-3, maxWords: 16, seed: 42, maxGradNorm: 5 },
    },
    teacherShare: 2 / 3,
    splitSeed: 42,
    minCount: 2,
    fineTunedStages: 1,
    encoderRate: 0.03,
    seeds: [1, 2, 3],
    numBeams: 3,
    lengthPenalty: 0.7,
  },
  full: {
    dataset: 'flickr8k',
    teacher: {
      checkpoint: 'resnet101',
      processor: wholePicture,
      decoder: { embedSize, hiddenSize, attentionSize, dropout },
      training: { epochs: 9, batchSize: 32, learningRate: 4e-4, maxWords: 50, seed: 42, maxGradNorm: 5 },
    },
    student: {
      checkpoint: 'resnet50',
      processor: wholePicture,
      decoder: { embedSize, hiddenSize: 256, attentionSize, dropout },
      training: { epochs: 2, batchSize: 32, learningRate: 4e-4, maxWords: 50, seed: 42, maxGradNorm: 5 },
    },
    teacherShare: 2 / 3,
    splitSeed: 42,
    minCount: 5,
    fineTunedStages: 1,
    encoderRate: 0.25,
    seeds: [1, 2, 3],
    numBeams: 3,
    lengthPenalty: 0.7,
  },
};

/** Data, encoders and features that all runs share. */
export interface DistillationSetup {
  config: DistillationConfig;
  /** Whose 'train' split is the teacher's, and the students' pictures; 'val' and 'test' are the same in both. */
  teacherData: CaptionDataset;
  studentData: CaptionDataset;
  vocabulary: WordVocabulary;
  teacherEncoder: ImageEncoder;
  /** The student's network up to the stages that are trained. */
  studentTrunk: ImageEncoder;
  /** The teacher's, of all pictures. */
  teacherFeatures: FeatureCache;
  /** Of `studentTrunk`, without the teacher's pictures. */
  studentFeatures: FeatureCache;
}

/** The training pictures in two parts by lot, no picture in both; validation and test pictures are in either. */
export function splitForDistillation(dataset: CaptionDataset, config: Pick<DistillationConfig, 'teacherShare' | 'splitSeed'>):
{ teacherData: CaptionDataset; studentData: CaptionDataset } {
  const { teacherShare, splitSeed } = config;
  const training = dataset.split('train'), count = Math.round(teacherShare * training.length);
  if (!(count > 0 && count < training.length)) {
    throw new RangeError(`teacherShare is ${teacherShare} of ${training.length} pictures: both the teacher and the students need some.`);
  }
  const order = new Random(splitSeed).shuffle(Array.from(training.records.keys()));
  const teachers = new Set(order.slice(0, count).map((i) => training.records[i].id));
  const part = (name: string, mine: boolean): CaptionDataset =>
    dataset.where(({ split, id }) => split !== 'train' || teachers.has(id) === mine, `${dataset.name}-${name}`);
  return { teacherData: part('teacher', true), studentData: part('student', false) };
}

export interface PrepareOptions extends EncodeDatasetOptions {
  /** Default: the one that the config names. */
  dataset?: CaptionDataset;
}

/** Loads the pictures and both encoders, and computes the features that no run changes. */
export async function prepareDistillation(config: DistillationConfig, options: PrepareOptions = {}): Promise<DistillationSetup> {
  const { dataset = loadDataset(config), ...encoding } = options;
  const { teacher, student, minCount, fineTunedStages } = config;
  const { teacherData, studentData } = splitForDistillation(dataset, config);
  const vocabulary = WordVocabulary.fromCaptions(teacherData.split('train').captions(), { minCount });
  const teacherEncoder = ImageEncoder.load(teacher.checkpoint, { processor: teacher.processor });
  const studentTrunk = ImageEncoder.load(student.checkpoint, {
    processor: student.processor, ...(fineTunedStages > 0 ? { stages: 4 - fineTunedStages } : {}),
  });
  const total = dataset.length + studentData.length;
  const counted = (before: number) => ({ ...encoding, onProgress: (done: number) => options.onProgress?.(before + done, total) });
  const teacherFeatures = await encodeDataset(teacherEncoder, dataset, counted(0));
  const studentFeatures = await encodeDataset(studentTrunk, studentData, counted(dataset.length));
  return { config, teacherData, studentData, vocabulary, teacherEncoder, studentTrunk, teacherFeatures, studentFeatures };
}

export function disposeDistillation({ teacherEncoder, studentTrunk, teacherFeatures, studentFeatures }: DistillationSetup): void {
  for (const encoder of [teacherEncoder, studentTrunk]) encoder.dispose();
  for (const cache of [teacherFeatures, studentFeatures]) cache.close();
}

/** An untrained teacher or student; `random` also draws its dropout. */
export function buildDistilled(kind: 'teacher' | 'student', setup: DistillationSetup, encoder: ImageEncoder, random: Random):
FeatureCaptioner<AttentionLstmDecoder> {
  const { config, vocabulary } = setup;
  const { decoder, training: { maxWords } } = config[kind], sizes = { featureSize: encoder.featureSize, vocabSize: vocabulary.size };
  const words = new AttentionLstmDecoder({ ...attentionLstmDefaults, ...decoder, ...sizes }, random);
  return new FeatureCaptioner(encoder, words, vocabulary, { maxNewTokens: maxWords + 1, lengthPenalty: config.lengthPenalty });
}
