/** Tables: rows of values or a danfojs DataFrame, as escaped HTML and as aligned text. */
import { escapeHtml, MimeBundle, show } from './display';

export type Cell = string | number | bigint | boolean | Date | null | undefined;
type Row = Readonly<Record<string, Cell>> | readonly Cell[];

/** Any type whose properties are cells: interfaces too, which no index signature fits. */
export type Cells<T> = { readonly [K in keyof T]: Cell };

/** What is used of danfojs' DataFrame and Series; the package itself is not needed here. */
export interface Frame {
  readonly columns: readonly string[];
  readonly index: readonly (string | number)[];
  readonly values: readonly unknown[];
  readonly shape: readonly number[];
}

export interface TableOptions {
  caption?: string;
  /** Which columns, in which order. Default: all, in order of appearance. For rows that are arrays: their names. */
  columns?: readonly string[];
  /** Significant digits of the largest number of a column; the others get as many decimals. Whole numbers stay whole. Default 4. */
  digits?: number;
  /** More rows than this are cut and counted. Default 50. */
  maxRows?: number;
}

interface Grid { header: string[]; body: Cell[][]; total: number }

/** Whether a value is a danfojs DataFrame or Series. */
export function isFrame(value: unknown): value is Frame {
  const frame = value as Partial<Frame> & { ctypes?: unknown } | null;
  return typeof frame === 'object' && frame !== null && Array.isArray(frame.columns) && Array.isArray(frame.index)
    && Array.isArray(frame.values) && Array.isArray(frame.shape) && 'dtypes' in frame;
}

function fromFrame(frame: Frame, maxRows: number): Grid {
  const series = frame.shape.length < 2 || !Array.isArray(frame.values[0]);
  const rows = frame.values.slice(0, maxRows).map((row, i) => [frame.index[i], ...(series ? [row as Cell] : row as Cell[])]);
  return { header: ['', ...frame.columns.map(String)], body: rows, total: frame.values.length };
}

function fromRows(rows: readonly Row[], columns: readonly string[] | undefined, maxRows: number): Grid {
  const lists = rows.filter((row) => Array.isArray(row)).length;
  if (lists > 0 && lists < rows.length) throw new TypeError('table: rows must be all objects or all arrays.');
  const body = rows.slice(0, maxRows);
  if (lists > 0) {
    const width = Math.max(...rows.map((row) => (row as Cell[]).length));
    if (columns && columns.length !== width) throw new TypeError(`table: ${columns.length} column names for rows of ${width} values.`);
    return { header: [...(columns ?? Array.from({ length: width }, () => ''))], body: body as Cell[][], total: rows.length };
  }
  const objects = body as Record<string, Cell>[];
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  for (const name of columns ?? []) {
    if (rows.length > 0 && !names.includes(name)) throw new TypeError(`table: no row has a column ${JSON.stringify(name)}; there are ${names.join(', ')}.`);
  }
  const header = [...(columns ?? names)];
  return { header, body: objects.map((row) => header.map((name) => row[name])), total: rows.length };
}

/** Decimals that give the largest number of a column `digits` significant ones, less the zeros that all numbers would end in. */
function decimalsOf(column: readonly Cell[], digits: number): number {
  const sizes = column.filter((cell): cell is number => typeof cell === 'number' && Number.isFinite(cell)).map(Math.abs);
  const largest = Math.max(...sizes, 0);
  const decimals = largest >= 1 ? Math.max(0, digits - 1 - Math.floor(Math.log10(largest))) : digits;
  return Math.max(0, ...sizes.map((size) => (/\.(\d*?)0*$/.exec(size.toFixed(decimals))?.[1].length ?? 0)));
}

function format(cell: Cell, decimals: number, digits: number): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell !== 'number' || Number.isInteger(cell)) return cell instanceof Date ? cell.toISOString() : String(cell);
  if (!Number.isFinite(cell)) return Number.isNaN(cell) ? 'NaN' : cell > 0 ? '∞' : '−∞';
  // What the column's decimals would leave less than two digits of (a learning rate, say) keeps its own.
  return Math.abs(cell) < 0.5 * 10 ** (1 - decimals) && Number(cell.toFixed(decimals)) !== cell ? String(Number(cell.toPrecision(digits))) : cell.toFixed(decimals);
}

/** Cells in a terminal take this many columns: East Asian and emoji characters are two wide. */
const wide = /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const textWidth = (text: string): number => [...text].reduce((sum, character) => sum + (wide.test(character) ? 2 : 1), 0);

/** The formats of a table, for {@link show}. */
export function tableBundle<T extends readonly Cell[] | Cells<T>>(rows: readonly T[] | Frame, options: TableOptions = {}): MimeBundle {
  const { caption, columns, digits = 4, maxRows = 50 } = options;
  if (!isFrame(rows) && !Array.isArray(rows)) throw new TypeError(`table: expected an array of rows or a DataFrame; got ${rows === null ? 'null' : typeof rows}.`);
  const { header, body, total } = isFrame(rows) ? fromFrame(rows, maxRows) : fromRows(rows as readonly Row[], columns, maxRows);
  const right = header.map((_, c) => body.some((row) => typeof row[c] === 'number') && body.every((row) => row[c] == null || typeof row[c] === 'number'));
  const decimals = header.map((_, c) => decimalsOf(body.map((row) => row[c]), digits));
  const cells = body.map((row) => header.map((_, c) => format(row[c], decimals[c], digits)));
  const more = total > body.length ? `… ${total - body.length} more rows` : '';
  const showHeader = header.some((name) => name !== '');

  const style = (c: number): string => ` style="text-align:${right[c] ? 'right' : 'left'}"`;
  const line = (tag: string, texts: string[]): string => `<tr>${texts.map((text, c) => `<${tag}${style(c)}>${escapeHtml(text)}</${tag}>`).join('')}</tr>`;
  const html = '<table>' + (caption ? `<caption>${escapeHtml(caption)}</caption>` : '') + (showHeader ? `<thead>${line('th', header)}</thead>` : '')
    + `<tbody>${cells.map((row) => line('td', row)).join('')}</tbody></table>` + (more ? `<p>${more}</p>` : '');

  const flat = [...(showHeader ? [header] : []), ...cells].map((row) => row.map((text) => text.replace(/\s+/g, ' ')));
  const widths = header.map((_, c) => Math.max(0, ...flat.map((row) => textWidth(row[c]))));
  const pad = (text: string, c: number): string => { const gap = ' '.repeat(widths[c] - textWidth(text)); return right[c] ? gap + text : text + gap; };
  const lines = flat.map((row) => row.map(pad).join('  ').trimEnd());
  if (showHeader) lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  return { 'text/html': html, 'text/plain': [...(caption ? [caption] : []), ...lines, ...(more ? [more] : [])].join('\n') };
}

/**
 * Shows rows, or a danfojs DataFrame or Series, as a table.
 *
 * @param rows objects (columns by their keys) or arrays (columns by position, names in `options.columns`)
 * @throws TypeError on mixed rows or an unknown column
 */
export function table<T extends readonly Cell[] | Cells<T>>(rows: readonly T[] | Frame, options: TableOptions = {}): void {
  show(tableBundle(rows, options));
}
