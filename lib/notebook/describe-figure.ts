/** A chart in one line of text, for those who do not see it: what its axes are and what its values come to. */
import { plainText } from './static-chart';
import type { Figure, Layout, Trace } from './figure';

/** More names or values than this are counted, not listed. */
const LISTED = 12;

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const isNumber = (value: unknown): value is number => typeof value === 'number';
const number = (value: number): string => String(Number(value.toPrecision(3)));
const textOf = (part: unknown): string => plainText(String((part as { text?: string } | undefined)?.text ?? ''));

/** "4.1 to 2.1, lowest 1.9 at 7": the ends, and what lies beyond them. */
function describeLine(x: readonly unknown[], y: readonly unknown[]): string {
  const known = y.flatMap((value, i) => (isNumber(value) ? [{ at: plainText(String(x[i] ?? i)), value }] : []));
  if (known.length === 0) return 'no values';
  const first = known[0], last = known[known.length - 1];
  if (known.length === 1) return number(first.value);
  const low = known.reduce((a, b) => (b.value < a.value ? b : a)), high = known.reduce((a, b) => (b.value > a.value ? b : a));
  const beyond = [['lowest', low], ['highest', high]] as const;
  const between = beyond.filter(([, { value }]) => value !== first.value && value !== last.value);
  const extremes = between.map(([name, { at, value }]) => `, ${name} ${number(value)} at ${at}`);
  return `${number(first.value)} to ${number(last.value)}${extremes.join('')}`;
}

function describeBars(names: readonly unknown[], values: readonly unknown[]): string {
  const height = (value: unknown): string => (isNumber(value) ? number(value) : 'unknown');
  const bars = names.slice(0, LISTED).map((name, i) => `${plainText(String(name))} ${height(values[i])}`);
  return `${bars.join(', ')}${names.length > LISTED ? ` and ${names.length - LISTED} more` : ''}`;
}

/** A small matrix value by value, row by row; a larger one by its size and range. */
function describeMatrix(trace: Trace, layout: Layout): string {
  const rows = list(trace.z).map(list), values = rows.flat().filter(isNumber);
  const ticks = (name: string): string[] =>
    list((layout[name] as { ticktext?: unknown } | undefined)?.ticktext).map((tick) => plainText(String(tick)));
  const [columnNames, rowNames] = [ticks('xaxis'), ticks('yaxis')];
  if (values.length > 0 && rows.flat().length <= LISTED) {
    const values = (row: readonly unknown[]): string => describeBars(row.map((_, k) => columnNames[k] ?? k + 1), row);
    return rows.map((row, i) => `${rowNames[i] ?? `row ${i + 1}`}: ${values(row)}`).join('; ');
  }
  const size = `${rows.length} rows, ${rows[0]?.length ?? 0} columns`;
  return values.length > 0 ? `${size}, values ${number(Math.min(...values))} to ${number(Math.max(...values))}` : size;
}

function describeTrace(trace: Trace, layout: Layout): string {
  const type = String(trace.type ?? 'scatter'), x = list(trace.x), y = list(trace.y);
  if (type === 'heatmap') return describeMatrix(trace, layout);
  if (type === 'bar') return trace.orientation === 'h' ? describeBars(y, x) : describeBars(x, y);
  if (type === 'histogram') return `${x.length} values`;
  const isLine = type.startsWith('scatter') && String(trace.mode ?? 'lines').includes('lines');
  return isLine ? describeLine(x, y) : `${Math.max(x.length, y.length)} points`;
}

/**
 * "[chart: Loss; Cross entropy (nats) against Epoch; training: 4.33 to 2.28; validation: 3.76 to 2.14]". Bands, which belong to a line, are
 * left out.
 */
export function describeFigure({ data, layout }: Figure): string {
  const axis = (name: string): string => textOf((layout[name] as { title?: unknown } | undefined)?.title);
  const axes = [axis('yaxis'), axis('xaxis')].filter(Boolean).join(' against ');
  const shown = data.filter((trace) => trace.showlegend !== false || typeof trace.name === 'string');
  const title = textOf(layout.title);
  const traces = shown.slice(0, LISTED).map((trace) => {
    const name = typeof trace.name === 'string' ? plainText(trace.name) : '';
    return `${name && name !== title ? `${name}: ` : ''}${describeTrace(trace, layout)}`;
  });
  const more = shown.length > LISTED ? [`${shown.length - LISTED} more`] : [];
  const parts = [title, axes, ...traces, ...more].filter(Boolean);
  return `[chart${parts.length > 0 ? ': ' : ''}${parts.join('; ')}]`;
}
