/**
 * Scenes, the built-in data set: rendered pictures of 128×128 pixels, each with five captions by five annotators of different
 * habits, and with what is where. Made by scripts/scenes/generate.ts; data/README.md tells more.
 */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { excerpt } from '../excerpt';
import { inProject } from '../project';
import { CaptionDataset, type CaptionRecord, type SceneObject, type Split } from './caption-dataset';
import { ImageIndex, imageNameProblem } from './image-index';
import { readJson } from './text-lines';

const Index = z.number().int().nonnegative();
const Box = z.tuple([z.number(), z.number(), z.number().positive(), z.number().positive()]);
const Row = z.object({
  id: z.string().min(1),
  file: z.string().superRefine((name, context) => {
    const problem = imageNameProblem(name);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  }),
  split: z.enum(['train', 'val', 'test']),
  captions: z.array(z.string().trim().min(1)).min(1),
  background: z.string(),
  sky: z.string().optional(),
  details: z.array(z.string()),
  objects: z
    .array(
      z.object({
        name: z.string().min(1),
        box: Box,
        attributes: z.record(z.string(), z.string()),
        entity: Index,
      }),
    )
    .min(1),
  relations: z.array(z.object({ subject: Index, predicate: z.string().min(1), object: Index })),
});
const File = z.object({ name: z.string(), width: Index, height: Index, annotators: z.array(z.string()), images: z.array(Row) });

/** Everything that captions.json says of one picture. */
export interface SceneAnnotation {
  readonly id: string;
  /** Path of the picture from the data set's folder. */
  readonly file: string;
  readonly split: Split;
  /** One of each annotator, in their order. */
  readonly captions: readonly string[];
  readonly background: string;
  /** Colour of the sky; absent indoors and at night. */
  readonly sky?: string;
  /** Small things of the background: sun, clouds, window, … */
  readonly details: readonly string[];
  readonly objects: readonly (SceneObject & { readonly entity: number })[];
  /** "entity `subject` is `predicate` entity `object`". */
  readonly relations: readonly { readonly subject: number; readonly predicate: string; readonly object: number }[];
}

/** What a Scenes folder says of its pictures. */
export interface SceneAnnotations {
  readonly name: string;
  /** Size of every picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Who wrote the first caption of every picture, who the second, … */
  readonly annotators: readonly string[];
  readonly images: readonly SceneAnnotation[];
}

/** The folder of the built-in Scenes. */
export const scenesFolder = (): string => inProject('data', 'scenes');

/**
 * Reads captions.json of a Scenes folder: what {@link loadScenes} gives, and backgrounds, details and relations besides.
 * An object's `entity` numbers what captions name together ("two red balls" is one entity of two objects), the most salient
 * first; `relations` are between entities.
 *
 * @throws Error naming the file and the key when something is not as it must be.
 */
export function readSceneAnnotations(folder: string = scenesFolder()): SceneAnnotations {
  const file = join(resolve(folder), 'captions.json');
  const parsed = File.safeParse(readJson(file));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const more = parsed.error.issues.length > 1 ? ` (and ${parsed.error.issues.length - 1} more)` : '';
    throw new Error(
      `${file}: ${keyPath(issue.path)}: ${issue.message}${more}. npx tsx scripts/scenes/generate.ts makes the folder anew.`,
    );
  }
  const { width, height, annotators, images } = parsed.data;
  const places = new Map<string, number>();
  for (const [i, row] of images.entries()) {
    const refuse = (key: string, reason: string): never => {
      throw new Error(`${file}: images[${i}].${key}: ${reason}.`);
    };
    if (places.has(row.id)) refuse('id', `${excerpt(row.id)} is the id of images[${places.get(row.id)}], too; ids must be unique`);
    places.set(row.id, i);
    if (row.captions.length !== annotators.length) {
      refuse('captions', `${annotators.length} expected, one of each annotator, not ${row.captions.length}`);
    }
    const entities = new Set(row.objects.map(({ entity }) => entity));
    for (const [
      k,
      {
        box: [x, y, w, h],
      },
    ] of row.objects.entries()) {
      // Coordinates are kept to a tenth of a pixel.
      if (x < 0 || y < 0 || x + w > width + 0.05 || y + h > height + 0.05) {
        refuse(`objects[${k}].box`, `[${[x, y, w, h].join(', ')}] does not lie in a picture of ${width}×${height} pixels`);
      }
    }
    for (const [k, { subject, object }] of row.relations.entries()) {
      for (const entity of [subject, object])
        if (!entities.has(entity)) refuse(`relations[${k}]`, `no object is of entity ${entity}`);
    }
  }
  return parsed.data;
}

/**
 * The built-in data set, or another of the same form: 1,000 pictures to train on, 100 to validate and 100 to test. Every
 * record tells its objects, most salient first: name, box in pixels, and `colour`, `texture` and `size` among the attributes.
 *
 * @throws Error naming the file and the key when captions.json is not as it must be.
 */
export function loadScenes(folder: string = scenesFolder()): CaptionDataset {
  const root = resolve(folder);
  const { name, width, height, images } = readSceneAnnotations(root);
  const index = new ImageIndex(root);
  const missingImages: string[] = [];
  const records: CaptionRecord[] = [];
  for (const { id, file, split, captions, objects } of images) {
    const image = index.find(file);
    if (image === undefined) missingImages.push(file);
    else
      records.push({
        id,
        image,
        captions,
        split,
        objects: objects.map(({ name: what, box, attributes }) => ({ name: what, box, attributes })),
        size: [width, height],
      });
  }
  return new CaptionDataset(name, records, { missingImages });
}

/** images[3].objects[0].box, as one would write it in code. */
function keyPath(path: readonly PropertyKey[]): string {
  return (
    path.reduce<string>(
      (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
      '',
    ) || 'the file'
  );
}
