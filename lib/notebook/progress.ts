/**
 * A progress bar that redraws in place: one output in a notebook, one line in a terminal, a line every half minute in a log file.
 */
import { escapeHtml, inNotebook, show } from './display';
import { formatDuration } from './duration';

/** Values shown behind the bar, e.g. `{ loss: 2.31 }`. */
export type ProgressValues = Record<string, number | string>;

export interface Progress {
  /** Counts `count` steps (default 1) and shows the values. Cheap: draws a few times a second at most. */
  step(values?: ProgressValues, count?: number): void;
  /** Draws the last state as a short line of text, which is what a saved notebook keeps. Later calls do nothing. */
  done(note?: string): void;
}

export interface ProgressOptions {
  /** What is counted, in the plural. Default 'steps'. */
  unit?: string;
  /** How an amount reads, unit included, in place of number and `unit`: 88.2 MB. */
  format?: (amount: number) => string;
  /** Clock in milliseconds; tests bring their own. */
  now?: () => number;
  /** Where lines go outside a notebook. Default standard error. */
  stream?: { write(text: string): unknown; isTTY?: boolean; columns?: number };
}

const NOTEBOOK_INTERVAL = 200, TERMINAL_INTERVAL = 100, LOG_INTERVAL = 30_000, TERMINAL_DELAY = 500;
/** Steps are timed over about this long, so that the rate follows a change and does not jitter. */
const RATE_WINDOW = 5_000;

let created = 0;

const formatValue = (value: number | string): string => (typeof value === 'string' || Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4))));

/**
 * Starts a bar over `total` steps.
 *
 *     const bar = progress(batches.length, 'Epoch 1');
 *     for (const batch of batches) bar.step({ loss: await train(batch) });
 *     bar.done();
 *
 * @throws RangeError if total is negative or not a number
 */
export function progress(total: number, label = '', options: ProgressOptions = {}): Progress {
  if (!(total >= 0)) throw new RangeError(`progress: total must be a number of steps, 0 or more; got ${total}.`);
  const { unit = 'steps', format, now = () => performance.now(), stream = process.stderr } = options;
  const notebook = inNotebook();
  const interval = notebook ? NOTEBOOK_INTERVAL : stream.isTTY ? TERMINAL_INTERVAL : LOG_INTERVAL;
  const id = `captioning-progress-${process.pid}-${++created}`;
  const start = now();
  let count = 0, finished = false, values: ProgressValues = {};
  let lastDraw = notebook ? start : start + (stream.isTTY ? TERMINAL_DELAY - interval : 0);
  let drawn = false;
  const marks: { time: number; count: number }[] = [{ time: start, count: 0 }];

  /** Steps per second over the last few seconds; over everything at the end. */
  function rate(): number {
    const from = finished ? { time: start, count: 0 } : marks[0];
    const seconds = (now() - from.time) / 1000;
    return seconds > 0 ? (count - from.count) / seconds : 0;
  }

  function describe(): string {
    const speed = rate();
    const parts = [format ? `${format(count)} of ${format(total)}` : `${count}/${total} ${unit}`, formatDuration((now() - start) / 1000)];
    const plainRate = speed >= 1 ? `${speed.toPrecision(3)} ${unit}/s` : `${(1 / speed).toPrecision(3)} s each`;
    if (speed > 0) parts.push(format ? `${format(speed)}/s` : plainRate);
    if (!finished && speed > 0 && count < total) parts.push(`${formatDuration((total - count) / speed)} left`);
    for (const [name, value] of Object.entries(values)) parts.push(`${name} ${formatValue(value)}`);
    return parts.join(' · ');
  }

  function draw(note = ''): void {
    lastDraw = now();
    const text = [label, describe(), note].filter(Boolean).join(' · ');
    if (notebook) {
      const bar = finished ? '' : `<progress value="${Math.min(count, total)}" max="${Math.max(total, 1)}" style="width:14em"></progress> `;
      show({ 'text/html': `<div>${bar}${escapeHtml(text)}</div>`, 'text/plain': text }, { id, update: drawn });
    } else if (stream.isTTY) {
      const width = Math.max(20, (stream.columns || 80) - 1);
      const filled = total > 0 ? Math.round((Math.min(count, total) / total) * 16) : 16;
      const line = finished ? text : `${'█'.repeat(filled)}${'░'.repeat(16 - filled)} ${text}`;
      stream.write(`\r\x1b[2K${Array.from(line).slice(0, width).join('')}${finished ? '\n' : ''}`);
    } else stream.write(`${text}\n`);
    drawn = true;
  }

  if (notebook) draw();
  return {
    step(news, steps = 1) {
      if (finished) return;
      count += steps;
      if (news) values = { ...values, ...news };
      const time = now();
      if (time - marks[marks.length - 1].time > RATE_WINDOW / 20) marks.push({ time, count });
      while (marks.length > 2 && time - marks[1].time > RATE_WINDOW) marks.shift();
      if (time - lastDraw >= interval) draw();
    },
    done(note) {
      if (finished) return;
      finished = true;
      // Work too short to have been drawn leaves no line in a terminal or a log.
      if (notebook || drawn) draw(note);
    },
  };
}
