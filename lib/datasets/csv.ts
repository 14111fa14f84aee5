/** Comma-separated values with the line of every row, so that whatever is wrong with one can be reported. */
import { CsvError, parse } from 'csv-parse/sync';

/** A row above this is a missing closing quote, not a row. */
const MAX_ROW_CHARACTERS = 64 * 1024;

/**
 * Hands every row of `text` to `onRow` with the line it starts on, counted from 1; blank lines are left out, rows may differ in length.
 * `onBad` gets the rows that are no CSV; reading goes on after those the parser can get over.
 */
export function forEachCsvRow(
  text: string,
  delimiter: string,
  onRow: (cells: string[], line: number) => void,
  onBad: (line: number, reason: string) => void,
): void {
  // The parser numbers a record by the line it ends on; a record starts after the end of the one before.
  let previousEnd = 0;
  try {
    parse(text, {
      delimiter,
      relax_column_count: true,
      // A quote inside a field that does not begin with one is a character like any other, as in Python's csv.
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      max_record_size: MAX_ROW_CHARACTERS,
      on_record: (cells: string[], info) => {
        const line = Math.max(previousEnd + 1, info.lines - linesWithin(cells));
        // Of a damaged file, or of UTF-16 without its mark; what stands around it is no caption.
        if (cells.some((cell) => cell.includes('\0'))) onBad(line, 'the row holds a NUL character');
        else onRow(cells, line);
        previousEnd = info.lines;
        return null;
      },
      on_skip: (error) => {
        // Where the row starts, not where the parser gave up: that is where to look.
        onBad(previousEnd + 1, `this is not CSV: ${reasonOf(error)}`);
        return undefined;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    onBad(previousEnd + 1, `this is not CSV from here to the end of the file: ${reasonOf(error)}`);
  }
}

/** One row as RFC 4180 has it, ended by a line feed: cells with a comma, a double quote or a line break are quoted. */
export function csvRow(cells: readonly (string | number)[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : cell)).join(',')}\n`;
}

/** Line breaks inside the quoted cells of one record. */
function linesWithin(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0);
}

function reasonOf(error: CsvError | undefined): string {
  const rest = 'the rest of the file was not read';
  if (error?.code === 'CSV_QUOTE_NOT_CLOSED') return `a double quote is opened and never closed; ${rest}`;
  if (error?.code === 'CSV_MAX_RECORD_SIZE') return `a double quote is opened and not closed within ${MAX_ROW_CHARACTERS} characters; ${rest}`;
  return error?.message ?? 'unknown reason';
}
