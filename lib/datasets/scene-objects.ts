/** The things drawn in Scenes as pictures of their own, for zero-shot classification: what an image folder is to photographs. */
import { cropImage, decodeImage, type CropWindow } from '../images';
import type { CaptionDataset, SceneObject } from './caption-dataset';
import { ImageFolderDataset, type LabelledImage } from './image-folder';
import { SCENE_NOUNS } from './scene-nouns';

export interface SceneObjectOptions {
  /** What is shown around a thing on each side, in parts of the longer side of its box. */
  readonly margin: number;
  /** A thing is left out if the box of another one covers more than this share of its own. */
  readonly maxCovered: number;
}

type Box = SceneObject['box'];

/** The share of `box` that the other covers. */
function coveredBy([x, y, width, height]: Box, [x2, y2, width2, height2]: Box): number {
  const across = Math.min(x + width, x2 + width2) - Math.max(x, x2), down = Math.min(y + height, y2 + height2) - Math.max(y, y2);
  return Math.max(0, across) * Math.max(0, down) / (width * height);
}

/** A square around the box: no larger than the picture, and moved where it would reach beyond the picture's edge. */
function squareAround([x, y, width, height]: Box, margin: number, [across, down]: readonly [number, number]): CropWindow {
  const side = Math.max(1, Math.min(across, down, Math.round(Math.max(width, height) * (1 + 2 * margin))));
  const start = (middle: number, length: number): number => Math.max(0, Math.min(length - side, Math.round(middle - side / 2)));
  return { left: start(x + width / 2, across), top: start(y + height / 2, down), width: side, height: side };
}

/**
 * Every thing that stands free enough, in a square cut out around it: in the order of the records and of their objects, each with its
 * record as its group. The classes are the kinds of things in the order of `SCENE_NOUNS`. Things near by may reach into the square.
 *
 * @param dataset with `objects` and `size`, as `loadScenes` gives
 * @throws Error when a record tells no objects, none is left or one is of an unknown kind; RangeError for an option out of range
 */
export async function cutSceneObjects(dataset: CaptionDataset, { margin, maxCovered }: SceneObjectOptions): Promise<ImageFolderDataset> {
  if (!(margin >= 0 && margin < Infinity)) throw new RangeError(`margin is ${margin}: expected a number, 0 or more.`);
  if (!(maxCovered >= 0 && maxCovered <= 1)) throw new RangeError(`maxCovered is ${maxCovered}: expected a share, 0 to 1.`);
  const classes = Object.keys(SCENE_NOUNS), records: LabelledImage[] = [];
  for (const { id, image, objects, size } of dataset) {
    if (!objects || !size) throw new Error(`${dataset.name}: ${id} tells no objects; expected records such as those of loadScenes.`);
    const picture = await decodeImage(image);
    for (const [i, { name, box }] of objects.entries()) {
      const label = classes.indexOf(name);
      if (label < 0) throw new Error(`${dataset.name}: ${id} has an object ${name}; expected one of ${classes.join(', ')}.`);
      if (objects.some((other) => other.box !== box && coveredBy(box, other.box) > maxCovered)) continue;
      records.push({ id: `${id}/${i}`, image: cropImage(picture, squareAround(box, margin, size)), label, group: id });
    }
  }
  if (records.length === 0) throw new Error(`${dataset.name}: no object stands free enough to be cut out; raise maxCovered.`);
  return new ImageFolderDataset(`objects of ${dataset.name}`, classes, classes.map((_, id) => id), records);
}
