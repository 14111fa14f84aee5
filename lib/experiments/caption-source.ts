/**
 * Report 000, Part C: which model wrote a caption. BERT reads the original caption, the generated one and the level of occlusion, from the
 * CSV of Part B. `small` and `full` differ in values only.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { CaptionSourceClassifier, reportFormat, type ClassifyOptions, type SourceInputFormat, type SourcePrediction } from '../classifiers';
import {
  OCCLUSION_LEVELS, readCaptionSources, SOURCE_MODELS, splitByImage, type CaptionSourceRow, type ImageSplitOptions, type Split,
} from '../datasets';
import { crossEntropy, tf, type Random, type Scalar, type Tensor1D, type Tensor2D } from '../engine';
import {
  classificationReport, groupAccuracy, rocCurve, type ClassificationReport, type GroupAccuracy, type MeanScores, type RocCurve,
} from '../metrics';
import { inProject } from '../project';
import { linearWithWarmup, TextBatches, train, type EpochRecord, type TrainOptions, type TrainResult } from '../training';
import { occlusionStudy } from './occlusion';
import type { Profile } from './profile';
import { SWEEP_TABLE } from './sweep-shards';

export interface SourceTrainingSettings {
  epochs: number;
  batchSize: number;
  learningRate: number;
  /** AdamW's, on all weights. */
  weightDecay: number;
  /** Steps from 0 to the full learning rate; 0 for none. It falls in a straight line after them. */
  warmupSteps: number;
  /** Norm that gradients are clipped to; without it they are not. */
  maxGradNorm?: number;
  seed: number;
}

export interface CaptionSourceConfig {
  /** Part B's table, relative to the project's top folder. */
  file: string;
  /** The BERT to start from. */
  checkpoint: string;
  /** Names of the models, in the order of their classes. */
  sources: readonly string[];
  levels: readonly number[];
  split: Required<ImageSplitOptions>;
  format: SourceInputFormat;
  training: SourceTrainingSettings;
  /** Epochs of the classifiers that see less than the whole input. */
  leakEpochs: number;
}

const common = {
  sources: SOURCE_MODELS, levels: OCCLUSION_LEVELS, split: { seed: 42, shares: { train: 0.7, val: 0.1, test: 0.2 } }, format: reportFormat,
};
const training: SourceTrainingSettings = { epochs: 4, batchSize: 16, learningRate: 2e-5, weightDecay: 0.01, warmupSteps: 0, seed: 42 };

const tableOf = (profile: Profile): string => `${occlusionStudy[profile].folder}/${SWEEP_TABLE}`;

export const captionSource: Record<Profile, CaptionSourceConfig> = {
  // A small BERT moves further in a step: at the report's rate it would hardly have begun after four epochs.
  small: { ...common, file: tableOf('small'), checkpoint: 'bert-scenes', training: { ...training, learningRate: 2e-4 }, leakEpochs: 2 },
  full: { ...common, file: tableOf('full'), checkpoint: 'bert-base-uncased', training, leakEpochs: 4 },
};

/** What the report prints: the epochs of its table 1, and the scores of its table 2. */
export const reportedCaptionSource = {
  epochs: [
    { epoch: 1, 'train loss': 0.0857, 'val loss': 0.0367, 'val accuracy': 0.9821 },
    { epoch: 2, 'train loss': 0.035, 'val loss': 0.0445, 'val accuracy': 0.9831 },
    { epoch: 3, 'train loss': 0.03, 'val loss': 0.0645, 'val accuracy': 0.9765 },
    { epoch: 4, 'train loss': 0.0247, 'val loss': 0.0878, 'val accuracy': 0.9755 },
  ],
  macro: { precision: 0.977, recall: 0.977, f1: 0.977 },
} as const;

export type SourceParts = Record<Split, CaptionSourceRow[]>;

/**
 * The config's table in three parts; no picture is in two of them.
 *
 * @throws Error when the table is not there yet, or has a wrong header, value or too few pictures, with its line
 */
export function loadCaptionSources(config: CaptionSourceConfig): SourceParts {
  const file = inProject(config.file), { sources: models, levels } = config;
  if (!existsSync(file)) throw new Error(`${file} is not there: run notebook 03, which writes it, with the same PROFILE.`);
  return splitSources(readCaptionSources(file, { models, levels }), config);
}

export const splitSources = (rows: readonly CaptionSourceRow[], { split }: Pick<CaptionSourceConfig, 'split'>): SourceParts =>
  splitByImage(rows, (row) => row.imageFilename, split);

/** A pretrained BERT with a fresh head; `random` also draws its dropout, so hand the same one to the training. */
export const buildSourceClassifier = (config: CaptionSourceConfig, random: Random): CaptionSourceClassifier =>
  CaptionSourceClassifier.fromPretrained(config.checkpoint, { sources: config.sources, format: config.format, random });

export type SourceRunOptions = Pick<TrainOptions<never>, 'signal' | 'onStep' | 'onEpoch' | 'restartFinished' | 'tensorBoard'> & {
  /** Checkpoints and history; relative to the project's top folder. Without it nothing is written. */
  folder?: string;
};

export interface TrainSourceClassifierOptions extends SourceRunOptions {
  classifier: CaptionSourceClassifier;
  parts: Pick<SourceParts, 'train' | 'val'>;
  settings: SourceTrainingSettings;
  random: Random;
}

/** Trains all of the network; the weights of the epoch with the best validation accuracy are kept. */
export function trainSourceClassifier(options: TrainSourceClassifierOptions): Promise<TrainResult> {
  const { classifier, parts, settings, random, folder, tensorBoard, ...rest } = options;
  const { model, tokenizer, format, sources } = classifier;
  const { epochs, batchSize, learningRate, weightDecay, warmupSteps, maxGradNorm, seed } = settings;
  const encode = (row: CaptionSourceRow) => ({ inputIds: classifier.encode(row).inputIds, label: classifier.labelOf(row) });
  const examples = parts.train.map(encode);
  // A run that was trained on other captions is not one to go on with.
  const data = createHash('sha256').update(JSON.stringify([examples, parts.val.map(encode)])).digest('hex').slice(0, 16);
  return train({
    model,
    loss: (batch) => tf.tidy(() => model.forward(batch).loss as Scalar),
    batches: new TextBatches(examples, { batchSize, padId: tokenizer.padTokenId ?? 0, seed }),
    epochs,
    optimizer: { learningRate, weightDecay },
    schedule: linearWithWarmup(warmupSteps),
    maxGradNorm,
    random,
    config: { ...settings, format, sources, data },
    validate: async () => {
      const { loss, report } = await evaluateSources(classifier, parts.val, { batchSize: 4 * batchSize });
      return { valLoss: loss, valAccuracy: report.accuracy };
    },
    best: { metric: 'valAccuracy', mode: 'max' },
    folder: folder && inProject(folder),
    tensorBoard: tensorBoard && inProject(tensorBoard),
    ...rest,
  });
}

export interface SourceEvaluation {
  /** Mean cross entropy. */
  loss: number;
  report: ClassificationReport;
  /** Of the second source against the first; undefined unless there are two. */
  roc?: RocCurve;
  /** Accuracy at each level of occlusion. */
  levels: GroupAccuracy<number>[];
  predictions: SourcePrediction[];
}

export async function evaluateSources(
  classifier: CaptionSourceClassifier, rows: readonly CaptionSourceRow[], options: ClassifyOptions = {},
): Promise<SourceEvaluation> {
  const predictions = await classifier.predict(rows, options), labels = rows.map((row) => classifier.labelOf(row));
  const chosen = predictions.map(({ label }) => label);
  const loss = tf.tidy(() => crossEntropy(
    tf.tensor2d(predictions.map(({ logits }) => logits)) as Tensor2D, tf.tensor1d(labels, 'int32') as Tensor1D).dataSync()[0]);
  return {
    loss, predictions,
    report: classificationReport(labels, chosen, { classes: classifier.sources }),
    levels: groupAccuracy(labels, chosen, rows.map((row) => row.occlusionLevel)),
    ...(classifier.sources.length === 2 && { roc: rocCurve(labels, predictions.map(({ logits: [first, second] }) => second - first)) }),
  };
}

/** The report's table 1 of a run: one row an epoch, the report's own numbers beside it. */
export function sourceEpochRows(history: readonly EpochRecord[]): Record<string, number | undefined>[] {
  return history.map(({ epoch, trainLoss, metrics: { valLoss, valAccuracy } }) => {
    const { epoch: _, ...reported } = reportedCaptionSource.epochs.find((one) => one.epoch === epoch) ?? { epoch };
    return {
      epoch, 'train loss': trainLoss, 'val loss': valLoss, 'val accuracy': valAccuracy,
      ...Object.fromEntries(Object.entries(reported).map(([name, value]) => [`report 000: ${name}`, value])),
    };
  });
}

/** Scores of each source and their macro mean: the report's table 2, its own numbers below. */
export function sourceScoreRows({ classes, macro }: ClassificationReport): Record<string, string | number | undefined>[] {
  const row = (source: string, { precision, recall, f1 }: MeanScores, captions?: number) =>
    ({ source, precision, recall, F1: f1, captions });
  const means = [row('macro mean', macro), row('report 000, macro mean', reportedCaptionSource.macro)];
  return [...classes.map((one) => row(one.name, one, one.support)), ...means];
}
