/** The report for spreadsheets. */
import { csvRow } from '../../lib/datasets/csv';
import { scoreNames, statusOf, type Row } from './rows';

/** A text that a spreadsheet would take for a formula begins with an apostrophe, which it takes for "text". */
const harmless = (cell: string | number): string | number =>
  (typeof cell === 'string' && /^[\s\0]*[=+\-@|\t\r]/.test(cell) ? `'${cell}` : cell);

export function csvReport(rows: readonly Row[]): string {
  const names = scoreNames(rows);
  const columns = ['submission', 'status', 'message', 'cells run', 'cells', 'seconds', 'peak MB', 'differences', 'same file as'];
  const lines = rows.map((row) => {
    const { result } = row;
    return [
      row.name, statusOf(row), result?.message ?? '', result?.ran ?? '', result?.cells ?? '',
      result ? Number(result.seconds.toFixed(1)) : '', result ? Math.round(result.peak / 1e6) : '', result?.differences.length ?? '',
      row.same.join('; '),
      ...names.map((name) => result?.scores[name] ?? ''), row.key,
    ];
  });
  return [[...columns, ...names, 'key'], ...lines].map((cells) => csvRow(cells.map(harmless))).join('');
}
