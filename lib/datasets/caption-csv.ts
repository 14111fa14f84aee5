/** Captions in CSV: one caption a row, or one picture a row with its captions in several columns or in a JSON list. */
import { excerpt } from '../excerpt';
import { CaptionCollector } from './caption-dataset';
import { forEachCsvRow } from './csv';
import { imageNameProblem } from './image-index';
import { readText } from './text-lines';

/** Headers of the column that names the picture, best first; case, blanks, `_` and `-` do not count. */
export const IMAGE_HEADERS = ['filename', 'file', 'image', 'imagename', 'imagefile', 'imagepath', 'img', 'path', 'imageid'] as const;

/** Headers of a column that holds a caption; a number may follow (`caption_1` … `caption_5`). */
export const CAPTION_HEADERS = ['caption', 'captions', 'text', 'sentence', 'description', 'comment'] as const;

/**
 * Reads a CSV file with a header into `collector`; rows that cannot be used are noted there with their line.
 * The delimiter is a comma, or a semicolon, tab or `|` when the header holds that and no comma. A caption cell that is a JSON
 * list of strings counts as that many captions.
 *
 * @throws Error naming the file when there is no header, or none of its columns names a picture or a caption.
 */
export function readCaptionCsv(file: string, collector: CaptionCollector): void {
  const text = readText(file);
  const header = /^[^\r\n]*/.exec(text)![0];
  const delimiter = [',', ';', '\t', '|'].find((candidate) => header.includes(candidate)) ?? ',';

  let columns: string[] | undefined;
  let imageColumn = -1;
  let captionColumns: number[] = [];
  const onRow = (cells: string[], line: number) => {
    if (!columns) {
      columns = cells;
      ({ imageColumn, captionColumns } = chooseColumns(file, cells));
      return;
    }
    if (cells.length !== columns.length) {
      const quote = cells.length > columns.length ? '; a caption that holds the delimiter must be in double quotes' : '';
      collector.reject(file, line, `${cells.length} fields where the header has ${columns.length}${quote}`);
      return;
    }
    const image = cells[imageColumn].trim();
    const problem = imageNameProblem(image);
    if (problem) {
      collector.reject(file, line, `${problem}: ${excerpt(image)}`);
      return;
    }
    let found = 0;
    for (const column of captionColumns) {
      const captions = captionsOfCell(cells[column]);
      if (!captions) {
        collector.reject(file, line, `a list of captions must be JSON, with double quotes: ${excerpt(cells[column])}`);
        return;
      }
      for (const caption of captions) collector.add(image, caption);
      found += captions.length;
    }
    if (!found) collector.reject(file, line, `the caption of ${image} is empty`);
  };

  forEachCsvRow(text, delimiter, onRow, (line, reason) => collector.reject(file, line, reason));
  if (!columns) throw new Error(`${file}: the file has no header; expected one such as 'image,caption'.`);
}

function chooseColumns(file: string, header: readonly string[]): { imageColumn: number; captionColumns: number[] } {
  const names = header.map((name) => name.toLowerCase().replace(/[\s_-]/g, ''));
  const imageColumn = IMAGE_HEADERS.map((name) => names.indexOf(name)).find((column) => column >= 0) ?? -1;
  const captionColumns = names.flatMap((name, column) =>
    column !== imageColumn && (CAPTION_HEADERS as readonly string[]).includes(name.replace(/\d+$/, '')) ? [column] : [],
  );
  if (imageColumn < 0 || captionColumns.length === 0) {
    throw new Error(
      `${file}:1: the header is ${excerpt(header.join(','), 120)}; expected a column for the picture (${IMAGE_HEADERS.join(', ')}) ` +
        `and one or more for captions (${CAPTION_HEADERS.join(', ')}, also numbered: caption_1, caption_2, …).`,
    );
  }
  return { imageColumn, captionColumns };
}

/** The captions of one cell; undefined when it is a list in a notation other than JSON (Python's, say). */
function captionsOfCell(cell: string): string[] | undefined {
  const text = cell.trim();
  if (!text) return [];
  if (!/^\[.*\]$/s.test(text)) return [text];
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((item): item is string => typeof item === 'string')) {
      return list.map((item) => item.trim()).filter(Boolean);
    }
  } catch {
    // Falls through: a caption may stand in brackets, a list in another notation may not be guessed at.
  }
  return /^\[\s*['"]/.test(text) ? undefined : [text];
}
