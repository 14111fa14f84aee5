// The dataset's scenes: which seeds, which ids, which split; and the file they are written to.
import { annotateAll, ANNOTATORS } from './language/annotators';
import { type Background, CANVAS, type Detail, type Predicate, type Sky } from './classes';
import type { Box } from './geometry';
import { generateScene, type Scene, sceneSignature } from './scene';

export const DATASET_SEED = 'scenes/1';
export const SPLIT_SIZES = { train: 1000, val: 100, test: 100 } as const;
export type Split = keyof typeof SPLIT_SIZES;
export const DATASET_SIZE = SPLIT_SIZES.train + SPLIT_SIZES.val + SPLIT_SIZES.test;

/** One picture in captions.json. */
export interface SceneRow {
  readonly id: string;
  /** Path of the picture from captions.json. */
  readonly file: string;
  readonly split: Split;
  readonly captions: readonly string[];
  readonly background: Background;
  readonly sky?: Sky;
  readonly details: readonly Detail[];
  /** Most salient first; things of one `entity` are those that a caption names together ("two red balls"). */
  readonly objects: readonly {
    readonly name: string;
    readonly box: Box;
    readonly attributes: { readonly colour: string; readonly texture: string; readonly size: string };
    readonly entity: number;
  }[];
  readonly relations: readonly { readonly subject: number; readonly predicate: Predicate; readonly object: number }[];
}

/** The dataset's scenes in order. A scene that says the same as an earlier one is passed over: no signature comes twice. */
export function* datasetScenes(count = DATASET_SIZE): Generator<Scene> {
  const seen = new Set<string>();
  for (let n = 0; seen.size < count; n++) {
    const scene = generateScene(`${DATASET_SEED}/${n}`);
    const signature = sceneSignature(scene);
    if (seen.has(signature)) continue;
    seen.add(signature);
    yield scene;
  }
}

/** Signatures of a part of the dataset (of all of it by default), for those who must not show what it shows. */
export function datasetSignatures(splits: readonly Split[] = ['train', 'val', 'test']): Set<string> {
  return new Set([...datasetScenes()].filter((_, i) => splits.includes(splitOf(i))).map(sceneSignature));
}

export function splitOf(position: number): Split {
  if (position < SPLIT_SIZES.train) return 'train';
  return position < SPLIT_SIZES.train + SPLIT_SIZES.val ? 'val' : 'test';
}

export function rowOf(scene: Scene, position: number): SceneRow {
  const id = `scene-${String(position + 1).padStart(4, '0')}`;
  const { background, sky, details, objects, relations } = scene;
  return {
    id,
    file: `images/${id}.png`,
    split: splitOf(position),
    captions: annotateAll(scene),
    background,
    sky,
    details,
    objects: objects.map(({ kind, box, colour, texture, size, entity }) => ({
      name: kind,
      box,
      attributes: { colour, texture, size },
      entity,
    })),
    relations: relations.map(({ subject, predicate, object }) => ({ subject, predicate, object })),
  };
}

/** captions.json: one picture a line, so that a change shows where it is. */
export function captionsFile(rows: readonly SceneRow[]): string {
  const head = JSON.stringify({
    name: 'Scenes',
    version: 1,
    seed: DATASET_SEED,
    width: CANVAS,
    height: CANVAS,
    annotators: ANNOTATORS,
  });
  return `${head.slice(0, -1)},"images":[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`;
}
