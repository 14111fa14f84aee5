/**
 * The layout captioning courses hand out (reports 000 and 001): one CSV a split and the pictures in folders, as a folder or a zip
 * archive. What the columns may be called is in ./caption-csv.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { readCaptionCsv } from './caption-csv';
import { CaptionCollector, CaptionDataset, CaptionRecord, Split, SPLITS } from './caption-dataset';
import { ImageIndex } from './image-index';
import { unzip, UnzipOptions } from './zip';

/** What a split may be called, in its CSV's name and its image folder's. */
export const SPLIT_NAMES: Record<Split, readonly string[]> = {
  train: ['train', 'training'],
  val: ['val', 'valid', 'validation', 'dev'],
  test: ['test', 'testing'],
};

/**
 * Loads `train.csv`, `val.csv` and `test.csv` (those that are there; see {@link SPLIT_NAMES}) from a folder, or from a zip archive, which is
 * unpacked into a cache once. The CSVs may lie one folder down. A picture is looked for in the folder of its split (`train/`,
 * `train_images/`, `images/train/`, …), then in `images/`, then beside the CSV. An id is `<split>/<file name>`, since splits
 * may use the same names.
 *
 * @throws Error naming folder or file when there is no such CSV, or its header does not say which column is what.
 */
export async function loadCourseDataset(path: string, options: UnzipOptions & { readonly name?: string } = {}): Promise<CaptionDataset> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new Error(`${path}: there is no such folder or zip archive.`);
  if (stat.isFile() && !/\.zip$/i.test(path)) throw new Error(`${path}: expected a folder or a .zip.`);
  const folder = stat.isFile() ? await unzip(path, options) : resolve(path);
  const root = [folder, ...subfolders(folder)].find((candidate) => findCsv(candidate, 'train') ?? findCsv(candidate, 'test'));
  if (!root) {
    const names = SPLITS.map((split) => SPLIT_NAMES[split].map((name) => `${name}.csv`).join(' or '));
    throw new Error(`${path}: found no captions; expected ${names.join('; ')}, at its top or one folder down.`);
  }

  const records: CaptionRecord[] = [];
  const missingImages: string[] = [];
  const collectors: CaptionCollector[] = [];
  for (const split of SPLITS) {
    const file = findCsv(root, split);
    if (!file) continue;
    const collector = new CaptionCollector();
    collectors.push(collector);
    readCaptionCsv(file, collector);
    const folders = imageFolders(root, split).map((candidate) => new ImageIndex(candidate));
    for (const [name, captions] of collector.entries()) {
      const image = folders.map((index) => index.find(name)).find((found) => found !== undefined);
      if (image) records.push({ id: `${split}/${name}`, image, captions, split });
      else missingImages.push(`${split}/${name}`);
    }
  }
  const badRows = collectors.flatMap((collector) => collector.badRows);
  return new CaptionDataset(options.name ?? basename(path).replace(/\.zip$/i, ''), records, { badRows, missingImages });
}

function findCsv(folder: string, split: Split): string | undefined {
  return SPLIT_NAMES[split].map((name) => join(folder, `${name}.csv`)).find((file) => existsSync(file));
}

function imageFolders(root: string, split: Split): string[] {
  const own = SPLIT_NAMES[split].flatMap((name) => [
    join(name),
    join(name, 'images'),
    join('images', name),
    `${name}_images`,
    `${name}-images`,
    `${name}images`,
  ]);
  return [...own, 'images', 'Images', '.'].map((name) => join(root, name)).filter((folder) => existsSync(folder));
}

function subfolders(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return entries.map((entry) => join(folder, entry.name)).sort();
}
