/**
 * Hiding part of a picture: it is divided into a grid of cells, and a share of the cells is covered (report 000, Part B: 16×16 cells,
 * 10, 50 and 80 % of them black, which is 26, 128 and 205).
 */
import { Random, seedFor } from '../random';
import { boxBlur } from './blur';
import { ImageError, isRgbImage, RgbImage } from './rgb-image';

/** What covered cells show. */
export const OCCLUSION_FILLS = ['black', 'mean', 'noise', 'blur'] as const;
export type OcclusionFill = (typeof OCCLUSION_FILLS)[number];

/** Which cells are covered. */
export const OCCLUSION_PATTERNS = ['random', 'center', 'border'] as const;
export type OcclusionPattern = (typeof OCCLUSION_PATTERNS)[number];

export interface OcclusionOptions {
  /** Rows and columns of cells; one number for both. Default 16. */
  readonly grid?: number | readonly [rows: number, columns: number];
  /**
   * `random` (default) draws the cells; `center` covers a block in the middle and `border` a ring along the edges, both of as many
   * cells, filled from the middle or from the edges on (the last ring of cells in part, sides before corners in `center`).
   */
  readonly pattern?: OcclusionPattern;
  /**
   * `black` (default) is zero; `mean` is the picture's own mean colour; `noise` is uniform over all colours, a draw for each pixel;
   * `blur` is the picture itself, blurred until a cell has about one colour (what is covered still tinges it).
   */
  readonly fill?: OcclusionFill;
  /** With the name of the picture it decides on the cells and on the noise. Default 42. */
  readonly seed?: number;
  /** Name of the picture: each has its own cells, whatever the order in which they come. Default ''. */
  readonly name?: string;
  /**
   * Random cells of a lower level are among those of a higher one. Default true: then a picture only ever loses something from one
   * level to the next, and the difference between two levels does not hold the luck of a second draw. With false every level is a
   * draw of its own.
   */
  readonly nested?: boolean;
}

/**
 * The number of cells that `level` percent of a grid are, rounded to the nearest, halves up: of 256 cells 10, 50 and 80 % are 26, 128
 * and 205, as in the report.
 *
 * @throws RangeError when `level` is no percentage.
 */
export function occludedCellCount(cells: number, level: number): number {
  if (!(level >= 0 && level <= 100)) throw new RangeError(`occlusion: the level is ${level}; expected a percentage, 0 to 100.`);
  // Multiplied first: 0.1 × 5 would not be a half.
  return Math.round((cells * level) / 100);
}

/**
 * The cells that are covered, numbered row by row from the top left, in ascending order.
 *
 * @param level percent of the cells, see {@link occludedCellCount}
 * @throws RangeError when an option is not one of those above.
 */
export function occludedCells(level: number, options: OcclusionOptions = {}): number[] {
  const { rows, columns, pattern, seed, name, nested } = checked(options);
  const count = occludedCellCount(rows * columns, level);
  const order = Array.from({ length: rows * columns }, (_, cell) => cell);
  if (pattern === 'random') new Random(seedFor(seed, 'cells', name, ...(nested ? [] : [level]))).shuffle(order);
  else order.sort(outwards(rows, columns));
  const chosen = pattern === 'border' ? order.slice(order.length - count) : order.slice(0, count);
  return chosen.sort((a, b) => a - b);
}

/**
 * A copy of the picture with `level` percent of its cells covered; at a level of no cells the picture itself. Where a side does not
 * divide by the grid, the edges of the cells are rounded to whole pixels, so that cells differ by at most one in size.
 *
 * @throws RangeError when an option is wrong; ImageError when the picture has fewer pixels a side than the grid has cells.
 */
export function occlude(image: RgbImage, level: number, options: OcclusionOptions = {}): RgbImage {
  const { rows, columns, fill, seed, name } = checked(options);
  const called = name || 'image in memory';
  if (!isRgbImage(image)) throw new ImageError(called, 'expected pixels, { data, width, height }; use decodeImage first.');
  const { data: from, width, height } = image;
  if (width < columns || height < rows) {
    throw new ImageError(called, `${width}×${height} pixels cannot be divided into ${columns}×${rows} cells; use a smaller grid.`);
  }
  const cells = occludedCells(level, options);
  if (cells.length === 0) return image;

  const data = new Uint8Array(from);
  const x = edges(width, columns);
  const y = edges(height, rows);
  const mean = fill === 'mean' ? meanColour(image) : undefined;
  const blurred = fill === 'blur' ? boxBlur(image, width / columns, height / rows).data : undefined;
  for (const cell of cells) {
    const row = Math.floor(cell / columns);
    const column = cell % columns;
    // Noise belongs to the cell, so that it is the same at every level.
    const random = fill === 'noise' ? new Random(seedFor(seed, 'noise', name, cell)) : undefined;
    for (let line = y[row]; line < y[row + 1]; line++) {
      const start = (line * width + x[column]) * 3;
      const end = (line * width + x[column + 1]) * 3;
      if (mean) for (let at = start; at < end; at++) data[at] = mean[(at - start) % 3];
      else if (blurred) data.set(blurred.subarray(start, end), start);
      else if (random) for (let at = start; at < end; at++) data[at] = random.uint32() >>> 24;
      else data.fill(0, start, end);
    }
  }
  return { data, width, height };
}

function checked(options: OcclusionOptions) {
  const { grid = 16, pattern = 'random', fill = 'black', seed = 42, name = '', nested = true } = options;
  const [rows, columns] = typeof grid === 'number' ? [grid, grid] : grid;
  if (![rows, columns].every((count) => Number.isInteger(count) && count > 0 && count <= 4096)) {
    throw new RangeError(`occlusion: the grid is ${rows}×${columns}; expected whole numbers of rows and columns, 1 to 4096.`);
  }
  const oneOf = (option: string, value: string, values: readonly string[]) => {
    if (!values.includes(value)) throw new RangeError(`occlusion: ${option} is ${JSON.stringify(value)}; expected ${values.join(', ')}.`);
  };
  oneOf('pattern', pattern, OCCLUSION_PATTERNS);
  oneOf('fill', fill, OCCLUSION_FILLS);
  if (!Number.isInteger(seed)) throw new RangeError(`occlusion: the seed is ${seed}; expected a whole number.`);
  return { rows, columns, pattern, fill, seed, name, nested };
}

/** Where the cells along a side begin, and where the last ends. */
function edges(size: number, cells: number): number[] {
  return Array.from({ length: cells + 1 }, (_, cell) => Math.round((cell * size) / cells));
}

/** Compares cells by their distance from the middle: by ring of the grid's own proportions, then as the crow flies. */
function outwards(rows: number, columns: number): (a: number, b: number) => number {
  // In whole numbers, so that equal distances are equal.
  const offsets = (cell: number) => [
    Math.abs(2 * Math.floor(cell / columns) + 1 - rows) * columns,
    Math.abs(2 * (cell % columns) + 1 - columns) * rows,
  ];
  return (a, b) => {
    const [ay, ax] = offsets(a);
    const [by, bx] = offsets(b);
    return Math.max(ay, ax) - Math.max(by, bx) || ay + ax - (by + bx) || a - b;
  };
}

function meanColour({ data }: RgbImage): Uint8Array {
  const sums = [0, 0, 0];
  for (let at = 0; at < data.length; at += 3) {
    sums[0] += data[at];
    sums[1] += data[at + 1];
    sums[2] += data[at + 2];
  }
  return Uint8Array.from(sums, (sum) => Math.round((sum * 3) / data.length));
}
