/**
 * Flickr8k: 8,092 photographs with five captions each. M. Hodosh, P. Young and J. Hockenmaier, "Framing Image Description as
 * a Ranking Task", JAIR 47 (2013). Reads the published text files, the CSV in circulation, and Karpathy's JSON split.
 */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { excerpt } from '../excerpt';
import { inProject } from '../project';
import { CaptionCollector, CaptionDataset, CaptionRecord, Split, SPLITS, firstExisting } from './caption-dataset';
import { readCaptionCsv } from './caption-csv';
import { ImageIndex, imageNameProblem } from './image-index';
import { loadKarpathy } from './karpathy';
import { seededOrder } from './seeded-order';
import { numberedLines } from './text-lines';

/** Folders that hold the photographs in the copies of Flickr8k in circulation, relative to the data set's folder. */
const IMAGE_FOLDERS = ['images', 'Images', 'Flicker8k_Dataset', 'Flickr8k_Dataset', 'Flickr8k_Dataset/Flicker8k_Dataset'];
const TEXT_FOLDERS = ['.', 'Flickr8k_text', 'text', 'captions'];
const SPLIT_FILES: Record<Split, string> = {
  train: 'Flickr_8k.trainImages.txt',
  val: 'Flickr_8k.devImages.txt',
  test: 'Flickr_8k.testImages.txt',
};

export interface Flickr8kOptions {
  /**
   * Where captions and split come from: `token` (Flickr8k.token.txt + split files), `csv` (captions.txt + split files) or
   * `karpathy` (dataset_flickr8k.json). Default: the first of these that is there.
   */
  readonly source?: 'token' | 'csv' | 'karpathy';
  /** A seeded split for copies without split files; scores on it do not compare with published ones. */
  readonly randomSplit?: { readonly val: number; readonly test: number; readonly seed: number };
}

/**
 * The folder of Flickr8k: `folder` if given, otherwise `FLICKR8K_DIR`, otherwise `data/flickr8k`, both from the project's top folder
 * wherever the command or notebook runs.
 *
 * @throws Error saying what to download and where to put it when there is none.
 */
export function findFlickr8k(folder?: string): string {
  const named = process.env.FLICKR8K_DIR || undefined;
  const looked = [folder ? resolve(folder) : inProject(named ?? 'data/flickr8k')];
  const found = looked.find((candidate) => existsSync(candidate) && statSync(candidate).isDirectory());
  if (found) return found;
  const how = named && !folder ? `FLICKR8K_DIR is '${named}', and there is no such folder` : `there is no folder ${looked[0]}`;
  throw new Error(
    `Flickr8k was not found: ${how}. Download Flickr8k (Flickr8k_Dataset.zip and Flickr8k_text.zip, or the copy with ` +
      `captions.txt and Images/), unpack it into data/flickr8k, or set FLICKR8K_DIR to the folder where you have it. It needs ` +
      `the photographs in one of ${IMAGE_FOLDERS.join(', ')}; Flickr8k.token.txt or captions.txt; and the three files ` +
      `${Object.values(SPLIT_FILES).join(', ')}.`,
  );
}

/**
 * Loads Flickr8k from its folder (see {@link findFlickr8k}). Records keep the order of the split files: train, val, test.
 * A photograph's id is its file name.
 *
 * @throws Error when the captions, the photographs or the split are not in the folder. Single bad rows and missing
 *   photographs are listed in the data set's `report` instead.
 */
export function loadFlickr8k(folder?: string, options: Flickr8kOptions = {}): CaptionDataset {
  const root = findFlickr8k(folder);
  const images = firstExisting(IMAGE_FOLDERS.map((name) => join(root, name)));
  if (!images) throw new Error(`${root} holds no photographs: expected one of the folders ${IMAGE_FOLDERS.join(', ')}.`);
  const text = (name: string) => firstExisting(TEXT_FOLDERS.map((place) => join(root, place, name)));
  const files = {
    token: text('Flickr8k.token.txt'),
    csv: text('captions.txt') ?? text('captions.csv'),
    karpathy: text('dataset_flickr8k.json'),
  };
  const splits = SPLITS.map((split) => [split, text(SPLIT_FILES[split])] as const);
  const haveSplits = splits.every(([, file]) => file) || options.randomSplit;
  const source = options.source ?? (files.karpathy && !haveSplits ? 'karpathy' : files.token ? 'token' : files.csv ? 'csv' : 'karpathy');
  const file = files[source];
  if (!file) {
    const wanted = options.source ? { token: 'Flickr8k.token.txt', csv: 'captions.txt', karpathy: 'dataset_flickr8k.json' }[source] : '';
    throw new Error(`${root} holds no captions: expected ${wanted || 'Flickr8k.token.txt, captions.txt or dataset_flickr8k.json'}.`);
  }
  if (source === 'karpathy') return loadKarpathy(file, images, { name: 'flickr8k' });

  const collector = new CaptionCollector();
  if (source === 'token') readTokenFile(file, collector);
  else readCaptionCsv(file, collector);

  let membership: readonly (readonly [Split, string])[];
  if (options.randomSplit) {
    membership = splitAtRandom([...collector.entries()].map(([image]) => image), options.randomSplit);
  } else {
    const absent = splits.filter(([, path]) => !path).map(([split]) => SPLIT_FILES[split]);
    if (absent.length) {
      throw new Error(
        `${root} says not which photographs are for training: ${absent.join(', ')} ${absent.length > 1 ? 'are' : 'is'} missing ` +
          `(they come in Flickr8k_text.zip). For a split of your own pass { randomSplit: { val: 1000, test: 1000, seed: 1 } }.`,
      );
    }
    membership = readSplitFiles(splits.map(([split, path]) => [split, path!]), collector);
  }

  const index = new ImageIndex(images);
  const captions = new Map(collector.entries());
  const records: CaptionRecord[] = [];
  const uncaptioned: string[] = [];
  const claimed = new Set<string>();
  for (const [split, image] of membership) {
    claimed.add(image);
    const own = captions.get(image);
    if (!own) uncaptioned.push(image);
    else if (index.has(image)) records.push({ id: image, image: index.find(image)!, captions: own, split });
  }
  const named = new Set([...captions.keys(), ...claimed]);
  return new CaptionDataset('flickr8k', records, {
    badRows: collector.badRows,
    missingImages: [...named].filter((image) => !index.has(image)),
    unassigned: [...captions.keys()].filter((image) => !claimed.has(image) && index.has(image)),
    uncaptioned: uncaptioned.filter((image) => index.has(image)),
  });
}

/** Flickr8k.token.txt: `<file>#<n> TAB <caption>`, one a line. Captions are put in the order of n. */
function readTokenFile(file: string, collector: CaptionCollector): void {
  const rows: { image: string; order: number; caption: string; line: number }[] = [];
  const seen = new Set<string>();
  for (const [line, row] of numberedLines(file)) {
    const match = /^([^\t]+)#(\d+)\t(.*)$/.exec(row);
    const caption = match?.[3].trim();
    if (!match) collector.reject(file, line, `expected '<image file>#<number> TAB <caption>', found ${excerpt(row)}`);
    else if (!caption) collector.reject(file, line, `the caption of ${match[1]} is empty`);
    else if (imageNameProblem(match[1])) collector.reject(file, line, `${imageNameProblem(match[1])}: ${excerpt(match[1])}`);
    else if (seen.has(`${match[1]}#${match[2]}`)) collector.reject(file, line, `${match[1]}#${match[2]} was given before`);
    else {
      seen.add(`${match[1]}#${match[2]}`);
      rows.push({ image: match[1], order: Number(match[2]), caption, line });
    }
  }
  const byImage = new Map<string, typeof rows>();
  for (const row of rows) (byImage.get(row.image) ?? byImage.set(row.image, []).get(row.image)!).push(row);
  for (const group of byImage.values()) {
    for (const row of group.sort((a, b) => a.order - b.order)) collector.add(row.image, row.caption);
  }
}

/** The split files: one image file name a line, each photograph in one split. */
function readSplitFiles(files: readonly (readonly [Split, string])[], collector: CaptionCollector): [Split, string][] {
  const members = new Map<string, Split>();
  for (const [split, file] of files) {
    for (const [line, row] of numberedLines(file)) {
      const image = row.trim();
      const problem = imageNameProblem(image);
      if (problem) collector.reject(file, line, `${problem}: ${excerpt(image)}`);
      else if (members.has(image)) collector.reject(file, line, `${image} is already in ${members.get(image)}`);
      else members.set(image, split);
    }
  }
  return [...members].map(([image, split]) => [split, image]);
}

function splitAtRandom(images: string[], { val, test, seed }: { val: number; test: number; seed: number }): [Split, string][] {
  if (val + test >= images.length) {
    throw new RangeError(`randomSplit takes ${val} + ${test} photographs out of ${images.length} and leaves none for training.`);
  }
  const order = seededOrder(images.length, seed);
  const split = new Map(order.map((index, place) => [images[index], place < test ? 'test' : place < test + val ? 'val' : 'train'] as const));
  return SPLITS.flatMap((name) => images.filter((image) => split.get(image) === name).map((image): [Split, string] => [name, image]));
}
