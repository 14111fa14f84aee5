/**
 * Captions of several models for occluded pictures in CSV: what Part B of report 000 writes and Part C learns from. One row for each
 * picture, model and level of occlusion, with exactly the report's five fields.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { excerpt } from '../excerpt';
import { writeWhole } from '../whole-file';
import { csvRow, forEachCsvRow } from './csv';
import { imageNameProblem } from './image-index';
import { readText } from './text-lines';

/** A caption, what a person said of the same picture, and where the caption comes from. */
export interface CaptionSourceRow {
  /** What a person said: the first caption that the dataset has of the picture. */
  readonly originalCaption: string;
  /** What the model said of the occluded picture; may be empty. */
  readonly generatedCaption: string;
  /** Percentage of the picture that was occluded. */
  readonly occlusionLevel: number;
  /** Name of the model. */
  readonly sourceModel: string;
  /** File name of the picture, relative to the folder of the pictures. */
  readonly imageFilename: string;
}

/** The CSV header of each field, in the order of the report's list (section 3.4). The reader takes the columns in any order. */
export const CAPTION_SOURCE_HEADERS = {
  originalCaption: 'original_caption',
  generatedCaption: 'generated_caption',
  occlusionLevel: 'occlusion_level',
  sourceModel: 'source_model',
  imageFilename: 'image_filename',
} as const satisfies Record<keyof CaptionSourceRow, string>;

/** The report's two models; a model's position is its class in Part C. */
export const SOURCE_MODELS = ['SmolVLM', 'Custom'] as const;

/** The report's levels of occlusion, in percent. */
export const OCCLUSION_LEVELS = [0, 10, 50, 80] as const;

export interface CaptionSourceOptions {
  /** Names a row may have as its source. Default {@link SOURCE_MODELS}. */
  readonly models?: readonly string[];
  /** Levels a row may have. Default {@link OCCLUSION_LEVELS}. */
  readonly levels?: readonly number[];
}

type Field = keyof CaptionSourceRow;
const FIELDS = Object.keys(CAPTION_SOURCE_HEADERS) as Field[];

/**
 * Reads a file of {@link CaptionSourceRow}s, in its order.
 *
 * @throws Error naming file and line at the first thing that is wrong: a header that is not the five names, a row of another length, an
 *   unknown model or level, an empty original caption, a file name that is absolute or empty, a picture that has the same model and level twice.
 */
export function readCaptionSources(file: string, options: CaptionSourceOptions = {}): CaptionSourceRow[] {
  const fail = (line: number, reason: string): never => {
    throw new Error(`${file}:${line}: ${reason}.`);
  };
  const rules = new Rules(options);
  const rows: CaptionSourceRow[] = [];
  let columns: Field[] | undefined;
  forEachCsvRow(readText(file), ',', (cells, line) => {
    if (!columns) {
      const chosen = fieldsOf(cells);
      columns = typeof chosen === 'string' ? fail(line, chosen) : chosen;
      return;
    }
    if (cells.length !== columns.length) {
      const quote = cells.length > columns.length ? '; a caption with a comma must be in double quotes' : '';
      fail(line, `${cells.length} fields where the header has ${columns.length}${quote}`);
    }
    const cell = Object.fromEntries(columns.map((field, index) => [field, cells[index]])) as Record<Field, string>;
    const row = { ...cell, occlusionLevel: /^\d+$/.test(cell.occlusionLevel) ? Number(cell.occlusionLevel) : NaN };
    const problem = rules.problem(row, `line ${line}`, cell.occlusionLevel);
    if (problem) fail(line, problem);
    rows.push(row);
  }, fail);
  if (!columns) throw new Error(`${file}: the file has no header; expected ${Object.values(CAPTION_SOURCE_HEADERS).join(',')}.`);
  return rows;
}

/**
 * Writes rows whole or not at all, in the order given, for {@link readCaptionSources}; the same rows give the same bytes.
 *
 * @throws Error naming the row when the reader would refuse it; nothing is written then.
 */
export function writeCaptionSources(file: string, rows: readonly CaptionSourceRow[], options: CaptionSourceOptions = {}): void {
  const rules = new Rules(options);
  rows.forEach((row, index) => {
    const problem = rules.problem(row, `row ${index + 1}`);
    if (problem) throw new Error(`${file}: row ${index + 1} cannot be written: ${problem}.`);
  });
  mkdirSync(dirname(file), { recursive: true });
  writeWhole(file, csvRow(Object.values(CAPTION_SOURCE_HEADERS)) + rows.map((row) => csvRow(FIELDS.map((field) => row[field]))).join(''));
}

/** What holds for every row, and for all of them together. */
class Rules {
  private readonly models: readonly string[];
  private readonly levels: readonly number[];
  private readonly seen = new Map<string, string>();

  constructor({ models = SOURCE_MODELS, levels = OCCLUSION_LEVELS }: CaptionSourceOptions) {
    this.models = models;
    this.levels = levels;
  }

  /** What is wrong with a row found at `place`; undefined when nothing is. */
  problem(row: CaptionSourceRow, place: string, levelText = String(row.occlusionLevel)): string | undefined {
    const { originalCaption, occlusionLevel, sourceModel, imageFilename } = row;
    if (!this.models.includes(sourceModel)) return `the source model is ${excerpt(sourceModel)}; expected ${either(this.models)}`;
    if (!this.levels.includes(occlusionLevel)) {
      return `the occlusion level is ${excerpt(levelText)}; expected ${either(this.levels)}, a whole number of percent`;
    }
    if (!originalCaption.trim()) return 'the original caption is empty';
    const nameProblem = imageNameProblem(imageFilename);
    if (nameProblem) return `${nameProblem}: ${excerpt(imageFilename)}`;
    const key = JSON.stringify([imageFilename, sourceModel, occlusionLevel]);
    const before = this.seen.get(key);
    if (before) return `${excerpt(imageFilename)} has a caption of ${sourceModel} at ${occlusionLevel} % already, in ${before}`;
    this.seen.set(key, place);
    return undefined;
  }
}

function either(values: readonly (string | number)[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

/** The field of each column, or what is wrong with the header. */
function fieldsOf(header: readonly string[]): Field[] | string {
  const names: readonly string[] = Object.values(CAPTION_SOURCE_HEADERS);
  const expected = `expected ${names.join(',')}`;
  const missing = names.filter((name) => !header.includes(name));
  if (missing.length) return `the header lacks ${missing.join(', ')}; it is ${excerpt(header.join(','), 120)}, ${expected}`;
  const unknown = header.find((name, index) => !names.includes(name) || header.indexOf(name) !== index);
  if (unknown !== undefined) return `the header has a column ${excerpt(unknown)} that is not one of the five, or twice; ${expected}`;
  return header.map((name) => FIELDS[names.indexOf(name)]);
}
