/**
 * Karpathy's split files dataset_flickr8k.json, dataset_flickr30k.json and dataset_coco.json. A. Karpathy and L. Fei-Fei, "Deep
 * Visual-Semantic Alignments for Generating Image Descriptions", CVPR 2015.
 */
import { z } from 'zod';
import { BadRow, CaptionDataset, CaptionRecord, Split } from './caption-dataset';
import { ImageIndex, imageNameProblem } from './image-index';
import { readJson } from './text-lines';

const File = z.object({ images: z.array(z.unknown()), dataset: z.string().optional() });
const Image = z.object({
  filename: z.string(),
  filepath: z.string().optional(),
  split: z.enum(['train', 'restval', 'val', 'test']),
  sentences: z.array(z.object({ raw: z.string() })),
  cocoid: z.number().int().optional(),
});

export interface KarpathyOptions {
  /** Name of the data set; default: what the file says. */
  readonly name?: string;
  /**
   * COCO's `restval` (30,504 pictures of val2014 that are in neither val nor test) goes to `train`, as most papers have it, or is
   * left out. Default true.
   */
  readonly restvalTrains?: boolean;
}

/**
 * Loads one of Karpathy's files. `images` is the folder of the photographs (for COCO the one that holds train2014 and val2014).
 * Ids are COCO ids where the file has them, file names otherwise.
 *
 * @throws Error naming the file when it is not of this form.
 */
export function loadKarpathy(file: string, images: string, options: KarpathyOptions = {}): CaptionDataset {
  const parsed = File.safeParse(readJson(file));
  if (!parsed.success) throw new Error(`${file}: expected Karpathy's form, {"images": [{"filename", "split", "sentences"}, …]}.`);
  const index = new ImageIndex(images);
  const badRows: BadRow[] = [];
  const missingImages: string[] = [];
  const uncaptioned: string[] = [];
  const unassigned: string[] = [];
  const records = new Map<string, CaptionRecord>();
  for (const [position, entry] of parsed.data.images.entries()) {
    const reject = (reason: string) => badRows.push({ file, line: 0, reason: `images[${position}]: ${reason}` });
    const image = Image.safeParse(entry);
    if (!image.success) {
      const issue = image.error.issues[0];
      reject(`${issue.path.join('.') || 'entry'}: ${issue.message}`);
      continue;
    }
    const { filename, filepath, split, sentences, cocoid } = image.data;
    const name = filepath ? `${filepath}/${filename}` : filename;
    const id = cocoid === undefined ? filename : String(cocoid);
    const captions = sentences.map((sentence) => sentence.raw.trim()).filter(Boolean);
    const problem = imageNameProblem(name);
    // Flickr's files carry a filepath only in some copies, and COCO's photographs often lie in one folder.
    const path = index.find(name) ?? index.find(filename);
    if (problem) reject(problem);
    else if (records.has(id)) reject(`the picture ${id} was given before`);
    else if (captions.length === 0) uncaptioned.push(name);
    else if (split === 'restval' && options.restvalTrains === false) unassigned.push(name);
    else if (!path) missingImages.push(name);
    else {
      const place: Split = split === 'restval' ? 'train' : split;
      records.set(id, { id, image: path, captions, split: place });
    }
  }
  return new CaptionDataset(options.name ?? parsed.data.dataset ?? 'karpathy', [...records.values()], {
    badRows,
    missingImages,
    uncaptioned,
    unassigned,
  });
}
