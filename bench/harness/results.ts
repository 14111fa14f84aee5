/** What a benchmark found: rows of ratios, with the machine and the versions they hold for. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { captioning } from './library';
import type { Time } from './turns';

/** Of repeated measurements. */
export interface Spread { median: number; least: number; most: number; count: number }

/** One quantity on both sides; `ratio` is that of the medians, ours ÷ theirs. */
export interface Compared { ours: Spread; theirs?: Spread; ratio?: number }

export interface Row {
  work: string;
  against: string;
  /** Most that the ratio of the wall's times may be. */
  target?: number;
  /** Seconds */
  wall: Compared;
  /** Seconds, all threads */
  processor: Compared;
  /** Most resident memory at a time, bytes */
  peak?: { ours: number; theirs?: number; ratio?: number };
  /** What was found equal on both sides before anything was measured. */
  same?: string;
}

export interface Results {
  benchmark: string;
  date: string;
  machine: { processor: string; processors: number; memory: number; system: string; bfloat16: boolean };
  versions: string[];
  rows: Row[];
}

/** A side's steps; `peak` in bytes. */
export interface Measured { times: Time[]; peak?: number }

const median = (sorted: readonly number[]): number => (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: median(sorted), least: sorted[0], most: sorted.at(-1)!, count: sorted.length };
}

const ratioOf = (ours: number, theirs: number | undefined): { ratio?: number } => (theirs === undefined ? {} : { ratio: ours / theirs });

function compare(ours: readonly number[], theirs?: readonly number[]): Compared {
  const mine = spread(ours);
  if (!theirs?.length) return { ours: mine };
  const other = spread(theirs);
  return { ours: mine, theirs: other, ...ratioOf(mine.median, other.median) };
}

const seconds = (value: number): string => (value < 1 ? `${(1000 * value).toPrecision(3)} ms` : `${value.toFixed(2)} s`);
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
const range = ({ median: middle, least, most, count }: Spread): string =>
  (count === 1 ? `${seconds(middle)} (one step)` : `${seconds(middle)} (${seconds(least)} to ${seconds(most)}, ${count} steps)`);

/** A row of ours and, if it ran, of another side; says on the console what it found. */
export function row(about: Pick<Row, 'work' | 'against' | 'target' | 'same'>, ours: Measured, theirs?: Measured): Row {
  const of = (what: keyof Time) => compare(ours.times.map((time) => time[what]), theirs?.times.map((time) => time[what]));
  const peak = ours.peak === undefined ? {}
    : { peak: { ours: ours.peak, theirs: theirs?.peak, ...ratioOf(ours.peak, theirs?.peak) } };
  const [wall, processor] = [of('wall'), of('processor')], ratios = [wall, processor].map(({ ratio }) => ratio?.toFixed(2) ?? 'none');
  console.log(`${about.work}, ${about.against}: here ${range(wall.ours)}; ratio ${ratios[0]}, of processor time ${ratios[1]}`);
  return { ...about, wall, processor, ...peak };
}

/** The cells of a row of the table, as text; headings are its keys. */
export function cells({ work, against, target, wall, processor, peak }: Row): Record<string, string> {
  const peaks = peak && [gigabytes(peak.ours), ...(peak.theirs ? [`there ${gigabytes(peak.theirs)}: ${peak.ratio!.toFixed(2)}`] : [])];
  return {
    work, against,
    ratio: wall.ratio?.toFixed(2) ?? '–', 'at most': target?.toFixed(2) ?? '',
    'processor time, ratio': processor.ratio?.toFixed(2) ?? '–',
    here: range(wall.ours), there: wall.theirs ? range(wall.theirs) : 'not run',
    'peak memory': peaks?.join(', ') ?? '',
  };
}

/** Rows as a table of Markdown. */
export function markdown(rows: readonly Row[]): string {
  const lines = rows.map(cells), names = Object.keys(lines[0]);
  const line = (texts: readonly string[]) => `| ${texts.join(' | ')} |`;
  return [line(names), line(names.map(() => '---')), ...lines.map((one) => line(Object.values(one)))].join('\n');
}

/** Prints what was found and, if there is a file for it, writes it down. */
export function report(versions: readonly (string | undefined)[], rows: readonly Row[], json?: string): void {
  console.log(`\n${markdown(rows)}`);
  for (const { work, same } of rows) if (same) console.log(`${work}: ${same}`);
  if (!json) return;
  const [{ model }] = os.cpus(), { tensorflowVersion, hasFastBfloat16 } = captioning;
  const threads = process.env.TF_NUM_INTRAOP_THREADS ?? os.cpus().length;
  const results: Results = {
    benchmark: path.parse(json).name, date: new Date().toISOString(),
    machine: {
      processor: model.trim(), processors: os.cpus().length, memory: os.totalmem(), system: `${os.type()} ${os.arch()}`,
      bfloat16: hasFastBfloat16(),
    },
    versions: [`Node ${process.versions.node}, TensorFlow ${tensorflowVersion()}, ${threads} threads`,
      ...versions.filter((version): version is string => version !== undefined)],
    rows: [...rows],
  };
  fs.mkdirSync(path.dirname(json), { recursive: true });
  fs.writeFileSync(json, `${JSON.stringify(results, null, 1)}\n`);
}
