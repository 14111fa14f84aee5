/** What report 000 does not ask of its classifier: how little of the input is enough, and its score where nothing is to be learnt. */
import { CaptionSourceClassifier, type SourceField } from '../classifiers';
import type { CaptionSourceRow } from '../datasets';
import { Random } from '../engine';
import { classificationReport, rocCurve, ThresholdClassifier } from '../metrics';
import {
  buildSourceClassifier, evaluateSources, splitSources, trainSourceClassifier,
  type CaptionSourceConfig, type SourceEvaluation, type SourceParts, type SourceRunOptions,
} from './caption-source';

export interface LeakRow {
  /** What was looked at. */
  input: string;
  accuracy: number;
  macroF1: number;
  /** Area under the ROC curve; undefined unless there are two sources. */
  auc?: number;
  /** Rows that were scored: all of the test part. */
  count: number;
}

/** The row of a classifier that was trained elsewhere: the one that sees the whole input, to begin the table with. */
export const leakRow = (input: string, { report, roc, predictions }: SourceEvaluation): LeakRow =>
  ({ input, accuracy: report.accuracy, macroF1: report.macro.f1, ...(roc && { auc: roc.auc }), count: predictions.length });

/** Parts of the input to train on by themselves, beside the whole one. */
export const partialInputs: readonly { name: string; fields: readonly SourceField[] }[] = [
  { name: 'original and generated caption, no level', fields: ['original', 'generated'] },
  { name: 'generated caption alone', fields: ['generated'] },
];

export interface MeasureLeaksOptions extends SourceRunOptions {
  config: CaptionSourceConfig;
  parts: SourceParts;
  /** Makes the classifier to train, where it is not the config's. */
  build?: (config: CaptionSourceConfig, random: Random) => CaptionSourceClassifier;
  onRow?: (row: LeakRow) => void;
}

/**
 * Scores on the test part of classifiers that see less than the whole input, each trained by the same settings; of a threshold on the
 * length of the generated caption; and of the whole input with its labels shuffled, where all that is above chance would be a leak.
 * With `folder` every training has a folder in it and is resumed, or loaded if it had ended.
 *
 * @throws the signal's reason when it stops a training
 */
export async function measureLeaks(options: MeasureLeaksOptions): Promise<LeakRow[]> {
  const { config, parts, onRow } = options, rows: LeakRow[] = [];
  const add = (row: LeakRow): void => { rows.push(row); onRow?.(row); };
  for (const { name, fields } of partialInputs) {
    add(await trainAndScore(name, { ...config, format: { ...config.format, fields } }, parts, options));
  }
  if (config.sources.length === 2) for (const row of scoreLength(parts, config.sources)) add(row);
  add(await trainAndScore('control: shuffled labels, whole input', config, shuffleSources(parts, config), options));
  return rows;
}

async function trainAndScore(
  input: string, config: CaptionSourceConfig, parts: SourceParts, options: MeasureLeaksOptions,
): Promise<LeakRow> {
  const { build = buildSourceClassifier, folder, signal, onStep, onEpoch, restartFinished } = options;
  const random = new Random(config.training.seed), classifier = build(config, random);
  try {
    const { interrupted } = await trainSourceClassifier({
      classifier, parts, settings: { ...config.training, epochs: config.leakEpochs }, random, signal, onStep, onEpoch, restartFinished,
      folder: folder && `${folder}/${input.replace(/\W+/g, '-')}`,
    });
    if (interrupted) signal!.throwIfAborted();
    return leakRow(input, await evaluateSources(classifier, parts.test, { signal }));
  } finally {
    classifier.dispose();
  }
}

const lengths: readonly { name: string; of: (caption: string) => number }[] = [
  { name: 'words', of: (caption) => caption.split(/\s+/).filter(Boolean).length },
  { name: 'characters', of: (caption) => [...caption].length },
];

/** A threshold on the number of words, and on the number of characters, found on the training part. */
export function scoreLength(parts: Pick<SourceParts, 'train' | 'test'>, sources: readonly string[]): LeakRow[] {
  return lengths.map(({ name, of }) => {
    const values = (rows: readonly CaptionSourceRow[]): number[] => rows.map(({ generatedCaption }) => of(generatedCaption));
    const labels = (rows: readonly CaptionSourceRow[]): number[] => rows.map(({ sourceModel }) => sources.indexOf(sourceModel));
    const fitted = ThresholdClassifier.fit(values(parts.train), labels(parts.train)), test = values(parts.test), truth = labels(parts.test);
    const { accuracy, macro } = classificationReport(truth, fitted.predict(test), { classes: sources });
    const { auc } = rocCurve(truth, fitted.score(test));
    return { input: `number of ${name} of the generated caption alone`, accuracy, macroF1: macro.f1, auc, count: truth.length };
  });
}

/**
 * The same captions with the names of their sources dealt out anew, over all parts together: nothing in a caption tells its new
 * source, and on the test part only guessing is left. (Shuffling the training part alone would not do: a classifier that has learnt
 * nothing but a chance preference for one style then scores near 0 or near 1 against the true names.)
 */
export function shuffleSources(parts: SourceParts, config: Pick<CaptionSourceConfig, 'split' | 'training'>): SourceParts {
  const rows = [...parts.train, ...parts.val, ...parts.test];
  const names = new Random(config.training.seed).shuffle(rows.map(({ sourceModel }) => sourceModel));
  return splitSources(rows.map((row, i) => ({ ...row, sourceModel: names[i] })), config);
}
