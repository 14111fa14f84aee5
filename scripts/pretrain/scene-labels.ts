// What a picture shows, as classes: questions about the whole picture, and attributes of what stands at each grid cell.
import { BACKGROUNDS, CANVAS, COLOURS, DETAILS, KINDS, type Scene, SIZES, SKIES, TEXTURES } from '../scenes';

/** Yes/no questions about the whole picture, in the order of the checkpoint's id2label. */
export const PICTURE_LABELS: readonly string[] = [
  ...KINDS,
  ...['two', 'three', 'many'].flatMap((count) => KINDS.map((kind) => `${count} ${kind}`)),
  ...BACKGROUNDS.map((background) => `background ${background}`),
  ...SKIES.map((sky) => `sky ${sky}`),
  ...DETAILS.map((detail) => `detail ${detail}`),
];

const position = new Map(PICTURE_LABELS.map((label, i) => [label, i]));

/** 1 at every label that holds for the scene. */
export function pictureLabels(scene: Scene): Float32Array {
  const target = new Float32Array(PICTURE_LABELS.length);
  const yes = (label: string) => {
    const at = position.get(label);
    if (at === undefined) throw new Error(`No label "${label}".`);
    target[at] = 1;
  };
  for (const { kind, count } of scene.entities) {
    yes(kind);
    if (count > 1) yes(`${count === 2 ? 'two' : count === 3 ? 'three' : 'many'} ${kind}`);
  }
  yes(`background ${scene.background}`);
  if (scene.sky) yes(`sky ${scene.sky}`);
  for (const detail of scene.details) yes(`detail ${detail}`);
  return target;
}

/** Attributes classified at every cell; `kind` has one more class for cells without a thing. */
export const CELL_CLASSES = { kind: KINDS.length + 1, colour: COLOURS.length, texture: TEXTURES.length, size: SIZES.length } as const;
export type CellAttribute = keyof typeof CELL_CLASSES;

/** The label of what is not asked. */
export const IGNORED = -100;

/** A square part of the canvas: left, top, side. */
export type Window = readonly [number, number, number];

/**
 * Class of each cell of a grid × grid partition (of the canvas, or of a part of it) by the thing that covers most of it; where things
 * cover less than a fifth of the cell its kind is "none" and it has no colour, texture or size.
 */
export function cellLabels(scene: Scene, grid: number, [left0, top0, whole]: Window = [0, 0, CANVAS]): Record<CellAttribute, Int32Array> {
  const cells = grid * grid,
    side = whole / grid;
  const labels = {
    kind: new Int32Array(cells).fill(KINDS.length),
    colour: new Int32Array(cells).fill(IGNORED),
    texture: new Int32Array(cells).fill(IGNORED),
    size: new Int32Array(cells).fill(IGNORED),
  };
  for (let cell = 0; cell < cells; cell++) {
    const left = left0 + (cell % grid) * side,
      top = top0 + Math.floor(cell / grid) * side;
    let most = (side * side) / 5;
    for (const {
      kind,
      colour,
      texture,
      size,
      box: [x, y, width, height],
    } of scene.objects) {
      const across = Math.min(x + width, left + side) - Math.max(x, left),
        down = Math.min(y + height, top + side) - Math.max(y, top);
      if (across <= 0 || down <= 0 || across * down <= most) continue;
      most = across * down;
      labels.kind[cell] = KINDS.indexOf(kind);
      labels.colour[cell] = COLOURS.indexOf(colour);
      labels.texture[cell] = TEXTURES.indexOf(texture);
      labels.size[cell] = SIZES.indexOf(size);
    }
  }
  return labels;
}
