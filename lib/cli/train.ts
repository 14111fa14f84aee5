import { formatBadRow } from '../datasets';
import { trainOwnCaptioner, type OwnCaptionerResult } from '../experiments/own-captioner';
import { readOwnCaptionerConfig } from '../experiments/own-captioner-config';
import { interruptible } from '../notebook/interruptible';
import type { Progress } from '../notebook/progress';
import { formatDuration } from '../notebook/duration';
import { printable } from './printable';
import { terminalProgress } from './terminal-progress';

export interface TrainCommandOptions {
  restart?: boolean;
  json?: boolean;
}

const WARNINGS = 5;
const warn = (text: string) => { process.stderr.write(`captioning: ${printable(text)}\n`); };

/**
 * Trains a captioner by the settings of a JSON file, or goes on with a training that was cut off.
 *
 * @returns what the command prints on standard output
 * @throws Error naming the file and the key that is wrong, or saying how to go on after a stop
 */
export async function trainFromConfig(file: string, { restart, json }: TrainCommandOptions = {}): Promise<string> {
  const config = readOwnCaptionerConfig(file);
  let encoding: Progress | undefined, training: Progress | undefined, encoded = 0, trained = 0;
  const result = await interruptible((signal) => trainOwnCaptioner(config, {
    restart, signal,
    onDataset({ report: { badRows, missingImages } }) {
      const missing = missingImages.map((name) => `${config.images}: there is no picture ${name}; its captions are left out.`);
      const problems = [...badRows.map(formatBadRow), ...missing];
      for (const problem of problems.slice(0, WARNINGS)) warn(problem);
      if (problems.length > WARNINGS) warn(`and ${problems.length - WARNINGS} more rows that are left out.`);
    },
    onEncoded(done, total) {
      encoding ??= terminalProgress(total, 'Encoding', { unit: 'pictures' });
      encoding.step(undefined, done - encoded);
      encoded = done;
      if (done === total) encoding.done();
    },
    onStep({ epoch, step, steps, loss }) {
      // A run that goes on starts where it was.
      if (!training) trained = step - 1;
      training ??= terminalProgress(steps - trained, 'Training', { unit: 'steps' });
      training.step({ epoch, loss }, step - trained);
      trained = step;
    },
  })).finally(() => { encoding?.done(); training?.done(); });
  if (!result.folder) throw new Error(`stopped in epoch ${result.training.history.length + 1}; the same command goes on from there.`);
  return json ? `${JSON.stringify(forPrograms(result))}\n` : forPeople(result);
}

function forPrograms({ folder, dataset, training: { history, bestEpoch }, scores, samples }: OwnCaptionerResult) {
  return { folder, pictures: dataset.counts, bestEpoch, epochs: history, scores, samples };
}

function forPeople({ folder, dataset, training: { history, bestEpoch }, scores, samples }: OwnCaptionerResult): string {
  const { train, val, test } = dataset.counts, best = history.find(({ epoch }) => epoch === bestEpoch);
  const seconds = history.reduce((sum, record) => sum + record.seconds, 0);
  const lines = [
    `${train} pictures to train on, ${val} to validate, ${test} to test; ${history.length} epochs in ${formatDuration(seconds)}`,
    `best epoch ${bestEpoch}: validation loss ${best?.metrics.valLoss.toFixed(3)}, CIDEr ${best?.metrics.CIDEr.toFixed(3)}`,
    ...(scores ? [`test: ${Object.entries(scores).map(([name, value]) => `${name} ${value.toFixed(3)}`).join(', ')}`] : []),
    ...samples.map(({ image, caption, reference }) => `  ${printable(image)}: ${printable(caption)}  (${printable(reference)})`),
    '', `npx captioning caption PHOTO --model ${folder}`, `npx captioning serve ${folder}`,
  ];
  return `${lines.join('\n')}\n`;
}
