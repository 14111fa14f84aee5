/** One's own pictures: a folder of them and a CSV of captions, divided into parts by picture. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readCaptionCsv } from './caption-csv';
import { CaptionCollector, CaptionDataset, formatBadRow, SPLITS } from './caption-dataset';
import { ImageIndex } from './image-index';
import { splitByImage, type ImageSplitOptions } from './image-split';

export interface CaptionedImagesOptions extends ImageSplitOptions {
  readonly name?: string;
}

/**
 * Loads pictures and captions. The CSV has a header, such as `image,caption` (see CAPTION_HEADERS); a picture may have several rows. Its
 * name is relative to the folder and becomes its id. Which part it falls into depends on its name and the seed alone.
 *
 * @throws Error naming folder or file when there is none, the header does not say which column is what, no picture of the CSV is in the
 *   folder, or a part stays empty. Single bad rows and missing pictures are listed in the data set's `report` instead.
 */
export function loadCaptionedImages(
  images: string, captions: string, { name = 'images', ...split }: CaptionedImagesOptions = {},
): CaptionDataset {
  const folder = resolve(images), statOf = (path: string) => statSync(path, { throwIfNoEntry: false });
  if (!statOf(folder)?.isDirectory()) throw new Error(`${folder}: there is no such folder; expected one of pictures.`);
  if (!statOf(captions)?.isFile()) throw new Error(`${captions}: there is no such file; expected a CSV of captions.`);
  const collector = new CaptionCollector(), index = new ImageIndex(folder);
  readCaptionCsv(captions, collector);
  const named = [...collector.entries()].map(([id, texts]) => ({ id, image: index.find(id), captions: texts }));
  const missingImages = named.filter(({ image }) => image === undefined).map(({ id }) => id);
  const found = named.flatMap(({ image, ...row }) => (image === undefined ? [] : [{ ...row, image }]));
  if (named.length === 0) {
    const [first] = collector.badRows, rows = first ? `, the first: ${formatBadRow(first)}` : ' under its header';
    throw new Error(`${captions}: no row has a picture and a caption${rows}.`);
  }
  if (found.length === 0) {
    const example = `${missingImages[0]} and the like`;
    throw new Error(`${folder} has none of the ${missingImages.length} pictures of ${captions}, which names ${example}.`);
  }
  const parts = splitByImage(found, ({ id }) => id, split);
  const records = SPLITS.flatMap((part) => parts[part].map((row) => ({ ...row, split: part })));
  return new CaptionDataset(name, records, { badRows: collector.badRows, missingImages });
}
