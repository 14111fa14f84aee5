/** Whether two executions of a notebook say the same: every output but times, which differ from run to run on one machine. */
import fs from 'node:fs';
import path from 'node:path';
import { textOf, type Notebook, type NotebookCell, type Output } from './notebook-file';

/** Heads of a table's columns that hold measured times, or what was counted in a time. */
const TIMED = /\b(ms|seconds|minutes)\b|\/s\b|^times /;

const NUMBER = String.raw`\d+(?:\.\d+)?(?:e[+-]?\d+)?`;
/** As `formatDuration` and the progress bars write them, rates included. */
const TIMES = new RegExp([
  String.raw`${NUMBER} h \d+ min`, String.raw`${NUMBER} min(?: \d+ s)?`, String.raw`${NUMBER} m?s(?: each)?\b`, String.raw`${NUMBER} [\p{L}]+/s\b`,
].join('|'), 'gu');

const withoutTimes = (text: string): string => text.replace(TIMES, '⟨time⟩');

/** The rows of the tables in a page, cells of timed columns blanked. */
function tableRows(html: string): string[] {
  return html.split(/<table\b/).slice(1).flatMap((table) => {
    const rows = table.split(/<tr\b/).slice(1).map((row) => [...row.matchAll(/<t[hd]\b[^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => cell));
    const timed = (rows[0] ?? []).map((head) => TIMED.test(head));
    return rows.map((cells) => cells.map((cell, column) => (timed[column] ? '⟨time⟩' : withoutTimes(cell))).join(' | '));
  });
}

/** Axes of a chart that show times: the chart's picture, what is drawn along them, and what is said of it differ. */
function isTimed(chart: unknown): boolean {
  const { layout = {} } = chart as { layout?: Record<string, { title?: { text?: string } | string } | undefined> };
  const titles = ['xaxis', 'yaxis'].map((name) => layout[name]?.title).map((title) => (typeof title === 'string' ? title : title?.text ?? ''));
  return titles.some((title) => TIMED.test(title));
}

/** What of an output must be equal, by its media type. */
function comparable(output: Output): Record<string, string> {
  const data = output.data ?? { [output.name ?? output.output_type]: output.text ?? (output as { evalue?: string }).evalue ?? '' };
  const html = textOf(data['text/html'] as string | undefined), isTable = html.includes('<table');
  const timed = Object.entries(data).some(([type, content]) => type.includes('plotly') && isTimed(content));
  const parts = Object.entries(data).flatMap(([type, content]): [string, string][] => {
    if (timed && (type.includes('plotly') || type.startsWith('image/') || type === 'text/plain')) return [];
    // The same table in columns of spaces.
    if (isTable && type === 'text/plain') return [];
    if (isTable && type === 'text/html') return [[type, tableRows(html).join('\n')], [`${type} around its tables`, withoutTimes(html.replace(/<table\b.*?<\/table>/gs, ''))]];
    const text = typeof content === 'string' || Array.isArray(content) ? textOf(content as string | string[]) : JSON.stringify(content);
    return [[type, type.startsWith('text/') || !output.data ? withoutTimes(text) : text]];
  });
  return Object.fromEntries(parts);
}

const excerpt = (text: string, at: number): string => JSON.stringify(text.slice(Math.max(0, at - 30), at + 60));

/** Where an output differs; undefined where only times do. */
function difference(before: Output, now: Output): string | undefined {
  const [a, b] = [comparable(before), comparable(now)];
  for (const type of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [old, fresh] = [a[type], b[type]];
    if (old === fresh) continue;
    if (old === undefined || fresh === undefined) return `${type} is only in the ${old === undefined ? 'second' : 'first'}`;
    const at = [...old].findIndex((character, i) => character !== fresh[i]), from = at < 0 ? old.length : at;
    return /^(image|application)/.test(type) ? `${type} differs` : `${type}: ${excerpt(old, from)} became ${excerpt(fresh, from)}`;
  }
  return undefined;
}

/** What two executions of a notebook say differently, a line each, with the code cell's number. */
export function outputDifferences(before: Notebook, now: Notebook): string[] {
  const code = ({ cells }: Notebook): NotebookCell[] => cells.filter(({ cell_type, source }) => cell_type === 'code' && textOf(source).trim() !== '');
  const [a, b] = [code(before), code(now)];
  if (a.length !== b.length) return [`${a.length} code cells became ${b.length}`];
  return a.flatMap((cell, i) => {
    const where = `code cell ${i + 1}`, [old, fresh] = [cell.outputs ?? [], b[i].outputs ?? []];
    if (textOf(cell.source) !== textOf(b[i].source)) return [`${where}: the source differs`];
    if (old.length !== fresh.length) return [`${where}: ${old.length} outputs became ${fresh.length}`];
    return old.flatMap((output, n) => difference(output, fresh[n]) ?? []).map((what) => `${where}: ${what}`);
  });
}

/** Prints what executed notebooks say differently from those they were made of; the number of notebooks that do. */
export function reportDifferences(pairs: readonly (readonly [committed: string, executed: string])[], say: (line: string) => void = console.log): number {
  let differing = 0;
  for (const [committed, executed] of pairs) {
    const [before, now] = [committed, executed].map((file) => JSON.parse(fs.readFileSync(file, 'utf8')) as Notebook);
    const lines = outputDifferences(before, now), name = path.basename(committed, '.ipynb');
    if (lines.length > 0) differing++;
    say([lines.length > 0 ? `≠ ${name}: not what is in ${path.basename(path.dirname(committed))}/` : `= ${name}: all but times as it was`, ...lines.map((line) => `    ${line}`)].join('\n'));
  }
  return differing;
}
