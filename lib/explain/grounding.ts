/**
 * Whether a captioner looks at what it names: how much of a word's map lies on the object, against what chance would put there
 * (the "attention correctness" of Liu et al. 2017, https://arxiv.org/abs/1605.09553, which compares with a uniform map).
 */
import { sceneObjectName, type CaptionRecord, type SceneObject } from '../datasets';
import { percentiles, type BootstrapOptions, type Interval } from '../metrics';
import { Random } from '../random';
import type { WordMaps } from './word-maps';

export interface GroundingOptions extends BootstrapOptions {
  /** The object (its `name`) that a word of a caption names, if any. Default: the words of Scenes. */
  nameOf?: (word: string) => string | undefined;
}

/** A word that names an object of its picture. Shares are of the whole map, 0 to 1. */
export interface GroundedWord {
  /** Of the record. */
  id: string;
  word: string;
  /** The object's. */
  name: string;
  /** What lies within the boxes of all objects of that name, */
  mass: number;
  /** what a uniform map would have there: their part of the picture's area, */
  area: number;
  /** and what lies within the boxes of the words of other pictures, on average: a map that always looks at the middle gains by this. */
  shuffled: number;
}

/** Means over words, all or those of one object. */
export interface GroundingMeans {
  /** Words that name an object of their picture. */
  count: number;
  /** With the interval of resampled pictures. */
  mass: Interval;
  area: number;
  shuffled: number;
  /** mass − shuffled: whether the interval leaves out 0 says if words look at their own object more than at any. */
  gain: Interval;
}

export interface Grounding {
  all: GroundingMeans;
  /** By object, most often named first. */
  byName: (GroundingMeans & { name: string })[];
  words: GroundedWord[];
  /** Words that name an object of the picture but whose map is 0 everywhere: they count nowhere. */
  withoutMap: number;
  /** Words that name an object that the picture does not have. */
  notThere: number;
}

/**
 * Measures the maps of captions on pictures whose objects are known.
 *
 * @param records with `objects` and `size`, as `loadScenes` gives
 * @param explained the captions' maps, one a record; they cover the whole picture, so no encoder that crops it, and hold no negative weight
 * @throws Error when counts or shapes disagree, a record tells no objects, or no word names one
 */
export function grounding(
  records: readonly CaptionRecord[], explained: readonly WordMaps[], options: GroundingOptions = {},
): Grounding {
  if (records.length !== explained.length) {
    throw new Error(`${explained.length} captions' maps for ${records.length} pictures: expected one each.`);
  }
  const { nameOf = sceneObjectName } = options;
  const seen: SeenWord[] = [];
  let withoutMap = 0, notThere = 0;
  for (const [i, { id, objects, size }] of records.entries()) {
    if (!objects || !size) {
      throw new Error(`${id} tells no objects: grounding needs records with objects and size, such as those of loadScenes.`);
    }
    const { words, maps, grid } = explained[i];
    for (const [at, word] of words.entries()) {
      const name = nameOf(word);
      if (name === undefined) continue;
      const boxes = objects.filter((object) => object.name === name).map(({ box }) => box);
      const total = sumOf(maps[at], word, grid);
      if (boxes.length === 0) notThere++;
      else if (total === 0) withoutMap++;
      else seen.push({ id, word, name, map: maps[at].map((weight) => weight / total), grid, boxes, size });
    }
  }
  if (seen.length === 0) throw new Error('No word of the captions names an object of its picture.');
  const measured = measure(seen);
  const names = [...new Set(measured.map(({ name }) => name))];
  const byName = names.map((name) => ({ name, ...means(measured.filter((word) => word.name === name), options) }));
  byName.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  return { all: means(measured, options), byName, words: measured, withoutMap, notThere };
}

/** One row an object and one for all, for a table. */
export const groundingRows = ({ all, byName }: Grounding): Record<string, string | number>[] =>
  [...byName, { ...all, name: 'all' }].map(({ name, count, mass, area, shuffled, gain }) => ({
    object: name, words: count, mass: mass.value, from: mass.low, to: mass.high, 'chance (area)': area, 'chance (other boxes)': shuffled,
    'gain from': gain.low, 'gain to': gain.high,
  }));

/** What was measured on one picture: mean mass, and each word with its mass and chance (the area). Undefined where no word counts. */
export function groundingOf({ words }: Grounding, id: string): { mass: number; text: string } | undefined {
  const own = words.filter((word) => word.id === id), percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  if (own.length === 0) return undefined;
  return {
    mass: total(own, 'mass') / own.length,
    text: own.map(({ word, mass, area }) => `${word} ${percent(mass)} (chance ${percent(area)})`).join(', '),
  };
}

type Box = SceneObject['box'];
type Grid = WordMaps['grid'];
type Size = readonly [width: number, height: number];
interface SeenWord { id: string; word: string; name: string; map: Float32Array; grid: Grid; boxes: readonly Box[]; size: Size }

function sumOf(map: Float32Array, word: string, [rows, columns]: Grid): number {
  const of = `The map of ${JSON.stringify(word)}`;
  if (map.length !== rows * columns) throw new Error(`${of} has ${map.length} weights, its grid ${rows}×${columns}.`);
  const bad = map.find((weight) => !(weight >= 0 && weight < Infinity));
  if (bad !== undefined) throw new Error(`${of} holds ${bad}: expected weights of 0 or more.`);
  return map.reduce((sum, weight) => sum + weight, 0);
}

/** The share of each cell (row by row) that lies within at least one of the boxes, exactly. */
function boxCover(boxes: readonly Box[], [width, height]: Size, [rows, columns]: Grid): Float64Array {
  const cover = new Float64Array(rows * columns);
  const edges = (count: number, length: number, ends: number[]) => {
    const all = [...Array.from({ length: count + 1 }, (_, i) => i / count), ...ends.map((end) => Math.min(Math.max(end / length, 0), 1))];
    return [...new Set(all)].sort((a, b) => a - b);
  };
  const xs = edges(columns, width, boxes.flatMap(([x, , w]) => [x, x + w]));
  const ys = edges(rows, height, boxes.flatMap(([, y, , h]) => [y, y + h]));
  for (let j = 1; j < ys.length; j++) {
    for (let i = 1; i < xs.length; i++) {
      const x = (xs[i - 1] + xs[i]) / 2, y = (ys[j - 1] + ys[j]) / 2;
      const [px, py] = [x * width, y * height];
      if (!boxes.some(([left, top, w, h]) => px > left && px < left + w && py > top && py < top + h)) continue;
      cover[Math.floor(y * rows) * columns + Math.floor(x * columns)] += (xs[i] - xs[i - 1]) * columns * (ys[j] - ys[j - 1]) * rows;
    }
  }
  return cover;
}

const within = (map: Float32Array, cover: Float64Array): number => map.reduce((sum, weight, at) => sum + weight * cover[at], 0);

function measure(seen: readonly SeenWord[]): GroundedWord[] {
  const others = otherCovers(seen);
  return seen.map(({ id, word, name, map, grid, boxes, size }, i) => {
    const cover = boxCover(boxes, size, grid), area = cover.reduce((sum, share) => sum + share, 0) / cover.length;
    return { id, word, name, mass: within(map, cover), area, shuffled: within(map, others(i)) };
  });
}

/** Mean cover of the boxes of all words of other pictures, on the i-th word's grid. NaN where there are none. */
function otherCovers(seen: readonly SeenWord[]): (i: number) => Float64Array {
  const known = new Map<string, { covers: Float64Array[]; sum: Float64Array }>();
  const onGrid = (grid: Grid) => {
    let found = known.get(grid.join('×'));
    if (!found) {
      const covers = seen.map(({ boxes, size }) => boxCover(boxes, size, grid));
      found = { covers, sum: covers[0].map((_, at) => covers.reduce((sum, cover) => sum + cover[at], 0)) };
      known.set(grid.join('×'), found);
    }
    return found;
  };
  return (i) => {
    const { covers, sum } = onGrid(seen[i].grid), own = covers.filter((_, k) => seen[k].id === seen[i].id);
    const others = seen.length - own.length;
    return sum.map((all, at) => (others === 0 ? NaN : (all - own.reduce((part, cover) => part + cover[at], 0)) / others));
  };
}

/** Pictures are drawn with replacement, each with all its words. */
function means(words: readonly GroundedWord[], { samples = 1000, seed = 42, confidence = 0.95 }: BootstrapOptions): GroundingMeans {
  const ofPicture = new Map<string, GroundedWord[]>();
  for (const word of words) ofPicture.set(word.id, [...ofPicture.get(word.id) ?? [], word]);
  const pictures = [...ofPicture.values()]
    .map((own) => ({ count: own.length, mass: total(own, 'mass'), shuffled: total(own, 'shuffled') }));
  const random = new Random(seed), drawn = { mass: new Float64Array(samples), gain: new Float64Array(samples) };
  for (let sample = 0; sample < samples; sample++) {
    let count = 0, mass = 0, shuffled = 0;
    for (let i = 0; i < pictures.length; i++) {
      const picture = pictures[random.integer(pictures.length)];
      [count, mass, shuffled] = [count + picture.count, mass + picture.mass, shuffled + picture.shuffled];
    }
    drawn.mass[sample] = mass / count;
    drawn.gain[sample] = (mass - shuffled) / count;
  }
  const count = words.length, mass = total(words, 'mass') / count, shuffled = total(words, 'shuffled') / count;
  return {
    count, area: total(words, 'area') / count, shuffled,
    mass: { value: mass, ...percentiles(drawn.mass, confidence) }, gain: { value: mass - shuffled, ...percentiles(drawn.gain, confidence) },
  };
}

const total = (words: readonly GroundedWord[], key: 'mass' | 'area' | 'shuffled'): number =>
  words.reduce((sum, word) => sum + word[key], 0);
