/** What a classifier's scores look like: who is taken for whom, the ROC curve, the words that give a class away. */
import type { TellingWord } from '../explain';
import type { ClassificationReport, RocCurve } from '../metrics';
import { barFigure, heatmapFigure, lineFigure } from './charts';
import { show } from './display';
import { figureBundle, type Figure } from './figure';

/** The figure of {@link confusionChart}. */
export function confusionFigure({ confusion, classes }: ClassificationReport, title = 'Confusion matrix'): Figure {
  const xLabels = classes.map(({ name }) => name), yLabels = classes.map(({ name, support }) => `${name} (${support})`);
  // High enough for every class to have its name.
  const height = Math.max(380, 130 + 22 * classes.length);
  return heatmapFigure(confusion, { title, height, x: 'Predicted', y: 'True', xLabels, yLabels, value: 'count', cellValues: true });
}

/** Shows how many of each class (a row) were taken for which (a column). */
export async function confusionChart(report: ClassificationReport, title?: string): Promise<void> {
  show(await figureBundle(confusionFigure(report, title)));
}

/** The figure of {@link rocChart}. */
export function rocFigure(curves: Readonly<Record<string, RocCurve>>, title = 'ROC curve'): Figure {
  const lines = Object.entries(curves).map(([name, { falsePositiveRate, truePositiveRate, auc }]) =>
    ({ name: `${name} (area ${auc.toFixed(3)})`, x: falsePositiveRate, y: truePositiveRate }));
  return lineFigure([...lines, { name: 'chance', x: [0, 1], y: [0, 1] }], {
    title, x: { label: 'False positive rate', range: [0, 1] }, y: { label: 'True positive rate', range: [0, 1.02] },
  });
}

/** Shows ROC curves with the diagonal of chance: `await rocChart({ classifier: evaluation.roc })`. */
export async function rocChart(curves: Readonly<Record<string, RocCurve>>, title?: string): Promise<void> {
  show(await figureBundle(rocFigure(curves, title)));
}

/** The figure of {@link tellingWordsChart}. */
export function tellingWordsFigure(words: readonly TellingWord[], { source, count = 15 }: { source: string; count?: number }): Figure {
  const strongest = words.filter((one) => one.source === source && one.effect > 0).slice(0, count);
  const known = [...new Set(words.map((one) => one.source))].join(', ') || 'no source';
  if (strongest.length === 0) throw new Error(`No word speaks for ${source}: the words given are of ${known}.`);
  // A word and its number of places make the name of a bar; words are distinct.
  return barFigure(Object.fromEntries(strongest.map(({ word, count: places, effect }) => [`${word} (${places})`, effect])), {
    title: `Words that speak for ${source}`, x: 'Word (places in the captions)', y: { label: 'Mean rise of the log-odds', unit: 'nats' },
  });
}

/** Shows the words that raise a source's log-odds most, strongest first. */
export async function tellingWordsChart(words: readonly TellingWord[], options: { source: string; count?: number }): Promise<void> {
  show(await figureBundle(tellingWordsFigure(words, options)));
}
