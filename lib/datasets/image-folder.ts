/** Pictures with a class each, for zero-shot classification (report 004): files `<class id>_<number>.png` and `id2label.json`. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { ImageSource } from '../images';
import { BadRow, firstExisting } from './caption-dataset';
import { readJson } from './text-lines';

/** One picture and its class. */
export interface LabelledImage {
  /** File name. */
  readonly id: string;
  /** Absolute path; or the picture itself, where it was cut out of another one. */
  readonly image: ImageSource;
  /** Position in {@link ImageFolderDataset.classes}. */
  readonly label: number;
  /** What it was cut out of: pictures of one group are alike, so a bootstrap draws them together. Without it, it is by itself. */
  readonly group?: string;
}

const IMAGE_FILE = /\.(jpe?g|png|webp|gif)$/i;
const Labels = z.record(z.string().regex(/^\d+$/, 'a key is not a class id'), z.string().min(1));

/** Pictures of known classes. `classIds[label]` is the id in the files' names, `classes[label]` the name to show or to prompt with. */
export class ImageFolderDataset implements Iterable<LabelledImage> {
  constructor(
    readonly name: string,
    readonly classes: readonly string[],
    readonly classIds: readonly number[],
    readonly records: readonly LabelledImage[],
    readonly report: { readonly badRows: readonly BadRow[] } = { badRows: [] },
  ) {}

  get length(): number {
    return this.records.length;
  }

  [Symbol.iterator](): Iterator<LabelledImage> {
    return this.records[Symbol.iterator]();
  }

  /** The pictures, in order. */
  images(): ImageSource[] {
    return this.records.map((record) => record.image);
  }

  /** The classes of the pictures, in order, as positions in `classes`. */
  labels(): number[] {
    return this.records.map((record) => record.label);
  }

  /** The groups of the pictures, in order; one that has none is a group of its own. */
  groups(): string[] {
    return this.records.map(({ group, id }) => group ?? id);
  }

  /** The first `n` records. */
  take(n: number): ImageFolderDataset {
    return new ImageFolderDataset(this.name, this.classes, this.classIds, this.records.slice(0, n), this.report);
  }
}

/**
 * Loads a folder of pictures named `<class id>_<number>.<extension>`. `labels` is the file that names the classes,
 * `{"0": "bicycle", "1": "girl", …}`; by default `id2label.json` in the folder or the one above. Classes are in the order of their ids,
 * pictures in the order of class and number. Pictures whose name has another form or an unknown class are in `report.badRows`.
 *
 * @throws Error naming the file when the folder, the pictures or the labels are missing, or the labels are not of this form.
 */
export function loadImageFolder(folder: string, labels?: string): ImageFolderDataset {
  const root = resolve(folder);
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`${root}: there is no such folder.`);
  const file = labels ?? firstExisting([join(root, 'id2label.json'), join(dirname(root), 'id2label.json')]);
  if (!file) throw new Error(`${join(root, 'id2label.json')} is missing (it may also lie one folder up): {"0": "name of class 0", …}.`);
  const parsed = Labels.safeParse(readJson(file));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`${file}: expected {"<class id>": "<name>", …}; ${issue.path.join('.')}: ${issue.message}.`);
  }
  const named = Object.entries(parsed.data)
    .map(([id, name]) => ({ id: Number(id), name }))
    .sort((a, b) => a.id - b.id);
  const labelOf = new Map(named.map(({ id }, label) => [id, label]));
  if (labelOf.size < named.length) throw new Error(`${file}: two keys are the same class id (such as "1" and "01").`);

  const badRows: BadRow[] = [];
  const found: (LabelledImage & { readonly number: number })[] = [];
  for (const name of readdirSync(root).filter((entry) => IMAGE_FILE.test(entry)).sort()) {
    const image = join(root, name);
    const match = /^(\d+)_(\d+)\.[a-z]+$/i.exec(name);
    const label = match ? labelOf.get(Number(match[1])) : undefined;
    if (!match) badRows.push({ file: image, line: 0, reason: 'expected a name such as 3_250.png: <class id>_<number>' });
    else if (label === undefined) badRows.push({ file: image, line: 0, reason: `${basename(file)} has no class ${match[1]}` });
    else found.push({ id: name, image, label, number: Number(match[2]) });
  }
  if (found.length === 0) throw new Error(`${root}: found no pictures named <class id>_<number>.png, .jpg, .webp or .gif.`);
  found.sort((a, b) => a.label - b.label || a.number - b.number || (a.id < b.id ? -1 : 1));
  const records = found.map(({ id, image, label }) => ({ id, image, label }));
  return new ImageFolderDataset(basename(root), named.map(({ name }) => name), named.map(({ id }) => id), records, { badRows });
}
