/** Reading line-based files so that whatever is wrong with a line can be reported with its number. */
import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { excerpt } from '../excerpt';

/** Files above this are refused rather than read into memory; COCO's largest caption file is 150 MB. */
export const MAX_TEXT_BYTES = 500 * 2 ** 20;

/**
 * The text of a file, decoded as UTF-8 without its byte order mark.
 *
 * @throws Error naming the file when it is missing, not a file, larger than {@link MAX_TEXT_BYTES}, or in another encoding (with the
 *   first line that shows it: captions with replacement characters would be scored without a word).
 */
export function readText(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new Error(`${file}: there is no such file.`);
  if (stat.size > MAX_TEXT_BYTES) {
    throw new Error(`${file}: ${Math.round(stat.size / 2 ** 20)} MB of text is more than the limit of ${MAX_TEXT_BYTES / 2 ** 20} MB.`);
  }
  const bytes = readFileSync(file);
  if (!isUtf8(bytes)) throw new Error(encodingProblem(file, bytes));
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

function encodingProblem(file: string, bytes: Buffer): string {
  const remedy = 'save it as UTF-8';
  if (/^(\xff\xfe|\xfe\xff)/.test(bytes.toString('latin1', 0, 2))) return `${file}: this is UTF-16, not UTF-8: ${remedy}.`;
  for (let from = 0, line = 1; ; line++) {
    const end = bytes.indexOf(0x0a, from);
    const text = bytes.subarray(from, end < 0 ? bytes.length : end);
    if (!isUtf8(text) || end < 0) return `${file}:${line}: this is not UTF-8: ${excerpt(text.toString('latin1'))} (as Latin-1); ${remedy}.`;
    from = end + 1;
  }
}

/** The lines of a file with their number, counted from 1; blank lines are left out. */
export function* numberedLines(file: string): Generator<[line: number, text: string]> {
  const lines = readText(file).split(/\r\n|\n|\r/);
  for (let index = 0; index < lines.length; index++) if (lines[index].trim()) yield [index + 1, lines[index]];
}

/**
 * Parses a JSON file.
 *
 * @throws Error naming the file, and where parsing stopped, when it is not JSON.
 */
export function readJson(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const position = Number(/position (\d+)/.exec(reason)?.[1] ?? Number.NaN);
    const line = Number.isNaN(position) ? '' : `:${text.slice(0, position).split('\n').length}`;
    throw new Error(`${file}${line}: this is not JSON (${excerpt(reason, 120)}). Was the download cut short?`);
  }
}
