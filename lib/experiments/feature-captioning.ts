/** Training and using a captioner on the cached features of a frozen encoder: what reports 001 to 004 have in common. */
import type { Caption, CaptionBatch, CaptionOptions, FeatureDecoder } from '../captioners';
import { tf, type Precision, type Random, type Scalar, type Tensor } from '../engine';
import type { CaptionDataset } from '../datasets';
import { scoreCaptions, type CaptionEvaluation } from '../metrics';
import { inProject } from '../project';
import type { CaptionIds } from '../tokenizers';
import {
  CaptionBatches, meanLoss, scheduleOf, TopAccuracy, train,
  type EpochRecord, type MeasuredLoss, type PictureFeatures, type ScheduleSettings, type TrainOptions, type TrainResult,
} from '../training';

export interface TrainingSettings {
  epochs: number;
  batchSize: number;
  learningRate: number;
  /** Words kept of a longer caption. */
  maxWords: number;
  seed: number;
  /** AdamW's; default 0. */
  weightDecay?: number;
  /** Course of the learning rate; without it the rate stays. */
  schedule?: ScheduleSettings;
  /** Norm that gradients are clipped to; without it they are not. */
  maxGradNorm?: number;
  /** What products are computed in while training; default float32. */
  precision?: Precision;
  /** 'all' captions of every picture in each epoch (default), or 'one', drawn anew every epoch. */
  captionsPerEpoch?: 'all' | 'one';
  /** Epochs between captionings of the validation pictures; default 1. The last epoch has its own in any case. */
  generateEvery?: number;
  /** Stops after so many of these without a better CIDEr. */
  patience?: number;
  /** Measures each epoch how often the right word is among so many best: `trainTop5` and `valTop5` of the history, for 5. */
  topAccuracy?: number;
  /** Keeps the weights of every so many epochs, if there is a folder: `loadKeptEpoch` loads them. */
  keepEvery?: number;
}

/** A captioner as its training sees it: a FeatureCaptioner, or a PromptedCaptioner. */
export interface FeatureLearner {
  readonly decoder: FeatureDecoder;
  readonly vocabulary: CaptionIds;
  captionFeatures(features: Tensor, options?: CaptionOptions): Caption[];
}

export interface TrainCaptionerOptions extends Pick<TrainOptions<never>, 'signal' | 'onStep' | 'onEpoch' | 'restartFinished' | 'checkpointSteps'> {
  /** Checkpoints and history; relative to the project's top folder. Without it nothing is written. */
  folder?: string;
  /** Folder for TensorBoard's event files; relative to the project's top folder, too. */
  tensorBoard?: string;
  captioner: FeatureLearner;
  dataset: CaptionDataset;
  features: PictureFeatures;
  settings: TrainingSettings;
  random: Random;
}

/**
 * Trains the decoder on the dataset's train split; after every epoch it measures the validation loss, and after every `generateEvery` on
 * greedy captions of the validation pictures BLEU, ROUGE-L and CIDEr. The weights of the epoch with the best CIDEr are kept (BLEU-4 of
 * greedy captions jumps from epoch to epoch).
 */
export async function trainCaptioner(options: TrainCaptionerOptions): Promise<TrainResult> {
  const { captioner, dataset, features, settings, folder, tensorBoard, ...rest } = options;
  const { decoder, vocabulary } = captioner;
  const { epochs, batchSize, learningRate, weightDecay, schedule, maxGradNorm, maxWords, captionsPerEpoch, seed, precision } = settings;
  const { generateEvery = 1, patience, keepEvery, precision: _, ...decisive } = settings;
  const common = { vocabulary, features, maxWords };
  const validation = dataset.split('val');
  const validationBatches = new CaptionBatches({ ...common, dataset: validation, batchSize: 2 * batchSize });
  const { topAccuracy } = settings, [trainTop, valTop] = [new TopAccuracy(topAccuracy ?? 1), new TopAccuracy(topAccuracy ?? 1)];
  const measuredLoss = (batch: CaptionBatch, top: TopAccuracy): MeasuredLoss => tf.tidy(() => {
    const { loss, logits } = decoder.losses(batch);
    return { loss, measures: top.counts(logits, batch.labels) } as never;
  });
  const validationLoss = (batch: CaptionBatch): Scalar => {
    if (topAccuracy === undefined) return decoder.loss(batch);
    const { loss, measures: { right, counted } } = measuredLoss(batch, valTop);
    valTop.add({ right: right.dataSync()[0], counted: counted.dataSync()[0] });
    tf.dispose([right, counted]);
    return loss;
  };
  return train({
    model: decoder,
    loss: (batch) => (topAccuracy === undefined ? decoder.loss(batch) : measuredLoss(batch, trainTop)),
    onMeasures: topAccuracy === undefined ? undefined : ({ right, counted }) => trainTop.add({ right, counted }),
    batches: new CaptionBatches({ ...common, dataset: dataset.split('train'), batchSize, seed, captionsPerEpoch }),
    epochs,
    optimizer: { learningRate, weightDecay },
    schedule: schedule && scheduleOf(schedule),
    maxGradNorm,
    precision,
    // What may change between a stop and going on is not part of it.
    config: { ...decisive, epochs: undefined, decoder: decoder.config, prompt: vocabulary.promptIds, dataset: dataset.name },
    validate: async () => {
      const valLoss = await meanLoss(validationBatches, validationLoss);
      const tops = topAccuracy === undefined ? {} : { [`trainTop${topAccuracy}`]: trainTop.take(), [`valTop${topAccuracy}`]: valTop.take() };
      return { valLoss, ...tops };
    },
    evaluate: {
      every: generateEvery,
      run: () => {
        const { Bleu_1, Bleu_4, ROUGE_L, CIDEr } = score(validation, captionRecords(captioner, validation, features)).corpus;
        return { Bleu_1, Bleu_4, ROUGE_L, CIDEr };
      },
    },
    best: { metric: 'CIDEr', mode: 'max' },
    patience,
    folder: folder && inProject(folder),
    keepEvery: folder ? keepEvery : undefined,
    tensorBoard: tensorBoard && inProject(tensorBoard),
    ...rest,
  });
}

/** A caption for every picture of the dataset, in order, from its cached features; options are the captioner's own. */
export function captionRecords<O extends CaptionOptions>(captioner: { captionFeatures(features: Tensor, options?: O): Caption[] },
  dataset: CaptionDataset, features: PictureFeatures, given?: O & {}): Caption[] {
  const { batchSize = 100, ...options } = given ?? {}, captions: Caption[] = [];
  for (let from = 0; from < dataset.length; from += batchSize) {
    const ids = dataset.records.slice(from, from + batchSize).map((record) => record.id);
    const batch = tf.tensor(features.read(ids), [ids.length, ...features.shape]);
    try { captions.push(...captioner.captionFeatures(batch, options as O)); } finally { batch.dispose(); }
  }
  return captions;
}

/** Scores captions (in the dataset's order) against the dataset's own. */
export function score(dataset: CaptionDataset, captions: readonly Caption[]): CaptionEvaluation {
  if (captions.length !== dataset.length) throw new Error(`${captions.length} captions for ${dataset.length} pictures of ${dataset.name}.`);
  return scoreCaptions(
    Object.fromEntries(dataset.records.map((record) => [record.id, record.captions])),
    Object.fromEntries(dataset.records.map((record, i) => [record.id, captions[i].text])),
  );
}

/** One row an epoch, for a table or a chart; metrics that some epochs lack are undefined there. */
export function historyRows(history: readonly EpochRecord[]): Record<string, number | undefined>[] {
  const names = [...new Set(history.flatMap(({ metrics }) => Object.keys(metrics)))];
  return history.map(({ epoch, trainLoss, metrics, seconds }) =>
    ({ epoch, trainLoss, ...Object.fromEntries(names.map((name) => [name, metrics[name]])), seconds }));
}
