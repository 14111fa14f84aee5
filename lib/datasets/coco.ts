/**
 * COCO captions. X. Chen et al., "Microsoft COCO Captions: Data Collection and Evaluation Server", arXiv:1504.00325; the format of
 * `captions_train2014.json` is at https://cocodataset.org/#format-data.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BadRow, CaptionDataset, CaptionRecord, firstExisting, Split } from './caption-dataset';
import { ImageIndex, imageNameProblem } from './image-index';
import { readJson } from './text-lines';

const File = z.object({ images: z.array(z.unknown()), annotations: z.array(z.unknown()) });
const Id = z.union([z.number().int(), z.string().min(1)]);
const Image = z.object({ id: Id, file_name: z.string() });
const Annotation = z.object({ image_id: Id, caption: z.string() });

export interface CocoOptions {
  /** Split all its pictures belong to. Default: `val` or `test` when the file's name says so, otherwise `train`. */
  readonly split?: Split;
  readonly name?: string;
}

/**
 * Loads one captions file; `images` is the folder of its photographs. Ids are COCO's image ids. Bad entries are reported by their place
 * in the file (`annotations[12]`), as JSON has no lines to speak of.
 *
 * @throws Error naming the file when it is not of this form.
 */
export function loadCocoCaptions(file: string, images: string, options: CocoOptions = {}): CaptionDataset {
  const parsed = File.safeParse(readJson(file));
  if (!parsed.success) {
    throw new Error(`${file}: expected COCO's form, {"images": [{"id", "file_name"}, …], "annotations": [{"image_id", "caption"}, …]}.`);
  }
  const split = options.split ?? splitOfName(file);
  const index = new ImageIndex(images);
  const badRows: BadRow[] = [];
  const reject = (place: string, reason: string) => void badRows.push({ file, line: 0, reason: `${place}: ${reason}` });

  const pictures = new Map<string, { name: string; captions: string[] }>();
  for (const [position, entry] of parsed.data.images.entries()) {
    const image = Image.safeParse(entry);
    const problem = image.success ? imageNameProblem(image.data.file_name) : describe(image.error);
    if (problem || !image.success) reject(`images[${position}]`, problem!);
    else if (pictures.has(String(image.data.id))) reject(`images[${position}]`, `the image ${image.data.id} was given before`);
    else pictures.set(String(image.data.id), { name: image.data.file_name, captions: [] });
  }
  for (const [position, entry] of parsed.data.annotations.entries()) {
    const annotation = Annotation.safeParse(entry);
    if (!annotation.success) {
      reject(`annotations[${position}]`, describe(annotation.error));
      continue;
    }
    const { image_id, caption } = annotation.data;
    const picture = pictures.get(String(image_id));
    if (!picture) reject(`annotations[${position}]`, `there is no image ${image_id}`);
    else if (!caption.trim()) reject(`annotations[${position}]`, `the caption of image ${image_id} is empty`);
    else picture.captions.push(caption.trim());
  }

  const records: CaptionRecord[] = [];
  const missingImages: string[] = [];
  const uncaptioned: string[] = [];
  for (const [id, { name, captions }] of pictures) {
    const image = index.find(name);
    if (!image) missingImages.push(name);
    else if (captions.length === 0) uncaptioned.push(name);
    else records.push({ id, image, captions, split });
  }
  return new CaptionDataset(options.name ?? 'coco', records, { badRows, missingImages, uncaptioned });
}

/**
 * Loads train and val from COCO's folder: `annotations/captions_{train,val}<year>.json`, photographs in `train<year>/` and `val<year>/`,
 * there or under `images/`. COCO's test captions are not public. (Karpathy's split of the same photographs: `loadKarpathy`.)
 *
 * @throws Error saying what to download when a part is not there.
 */
export function loadCoco(folder: string, year: 2014 | 2017 = 2017): CaptionDataset {
  const parts = (['train', 'val'] as const).map((split) => {
    const file = join(folder, 'annotations', `captions_${split}${year}.json`);
    const images = firstExisting([join(folder, `${split}${year}`), join(folder, 'images', `${split}${year}`)]);
    const where = 'https://cocodataset.org/#download';
    if (!existsSync(file)) throw new Error(`${file} is missing: unpack annotations_trainval${year}.zip into ${folder} (${where}).`);
    if (!images) throw new Error(`${join(folder, `${split}${year}`)} is missing: unpack ${split}${year}.zip into ${folder} (${where}).`);
    return loadCocoCaptions(file, images, { split });
  });
  return CaptionDataset.concat(`coco${year}`, parts);
}

function splitOfName(file: string): Split {
  const name = /(train|val|test)[^/\\]*$/i.exec(file)?.[1].toLowerCase();
  return name === 'val' || name === 'test' ? name : 'train';
}

function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  return `${issue.path.join('.') || 'entry'}: ${issue.message}`;
}
