import type { Caption } from '../captioners';
import { joinPieces, type WordMaps } from './word-maps';

export interface HeadChoice {
  /** From 0; default all layers. */
  layer?: number;
  /** From 0; default all heads. */
  head?: number;
}

/**
 * A caption's cross attention by one layer, one head or one head of one layer: the mean over what is not chosen. Maps cover the picture's
 * grid; what a class token got is left out, so a map sums to 1 at most.
 *
 * @returns one map a token, end token included
 * @throws Error for a caption without every head's attention, RangeError for a layer or head that is not there
 */
export function tokenMaps({ attention }: Caption, { layer, head }: HeadChoice = {}): Float32Array[] {
  const { values, shape: [layers, heads, positions] } = headsOf(attention), [rows, columns] = attention!.grid;
  const from = (what: string, chosen: number | undefined, count: number): number[] => {
    if (chosen === undefined) return [...Array(count).keys()];
    const isThere = Number.isInteger(chosen) && chosen >= 0 && chosen < count;
    if (!isThere) throw new RangeError(`${what} is ${chosen}: expected 0 to ${count - 1}.`);
    return [chosen];
  };
  const chosen = from('layer', layer, layers).flatMap((l) => from('head', head, heads).map((h) => (l * heads + h) * positions));
  const cells = rows * columns, prefix = positions - cells;
  return values.map((all) => {
    const map = new Float32Array(cells);
    for (const start of chosen) for (let at = 0; at < cells; at++) map[at] += all[start + prefix + at] / chosen.length;
    return map;
  });
}

/** The same by whole words, as `wordMaps` has them: for `grounding` and `attentionGrid`. */
export function headMaps(caption: Caption, choice: HeadChoice = {}): WordMaps {
  const maps = tokenMaps(caption, choice);
  return { ...joinPieces(caption.text, caption.words, maps), grid: caption.attention!.grid };
}

/** Layers and heads that a caption's attention has. @throws Error as `tokenMaps` */
export function headCounts({ attention }: Caption): { layers: number; heads: number } {
  const [layers, heads] = headsOf(attention).shape;
  return { layers, heads };
}

function headsOf(attention: Caption['attention']): { values: Float32Array[]; shape: readonly number[] } {
  if (attention?.heads) return attention.heads;
  throw new Error('The caption tells no attention by layers and heads: caption with outputAttentions: true, by a Transformer.');
}

/**
 * How far a map is spread, as a share of the picture: e to its entropy, by the number of cells. 1 is the same everywhere, 1 / cells all in
 * one cell.
 *
 * @param map weights of 0 or more, of any sum above 0
 */
export function mapSpread(map: ArrayLike<number>): number {
  const weights = Array.from(map), sum = weights.reduce((a, b) => a + b, 0);
  if (!(sum > 0)) throw new RangeError('A map of zeros is spread nowhere.');
  const entropy = weights.reduce((total, weight) => (weight > 0 ? total - (weight / sum) * Math.log(weight / sum) : total), 0);
  return Math.exp(entropy) / weights.length;
}
