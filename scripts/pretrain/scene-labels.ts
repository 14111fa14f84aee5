// What a picture shows, as a fixed list of yes/no questions: the classes that the vision encoders are pretrained on.
import { BACKGROUNDS, COLOURS, DETAILS, KINDS, type Scene, SIZES, SKIES, TEXTURES } from '../scenes';

const each = <A extends string, B extends string>(first: readonly A[], second: readonly B[]) => first.flatMap((a) => second.map((b) => `${a} ${b}`));

/** Order matters: the checkpoint's id2label. */
export const SCENE_LABELS: readonly string[] = [
  ...KINDS,
  ...each(COLOURS, KINDS),
  ...each(['two', 'three', 'many'], KINDS),
  ...each(SIZES, KINDS),
  ...each(TEXTURES, KINDS),
  ...BACKGROUNDS.map((b) => `background ${b}`),
  ...SKIES.map((s) => `sky ${s}`),
  ...DETAILS.map((d) => `detail ${d}`),
];

const position = new Map(SCENE_LABELS.map((label, i) => [label, i]));

/** 1 at every label that holds for the scene. */
export function labelsOf(scene: Scene): Float32Array {
  const target = new Float32Array(SCENE_LABELS.length);
  const yes = (label: string) => {
    const at = position.get(label);
    if (at === undefined) throw new Error(`No label "${label}".`);
    target[at] = 1;
  };
  for (const { kind, colour, size, texture, count } of scene.entities) {
    yes(kind);
    yes(`${colour} ${kind}`);
    yes(`${size} ${kind}`);
    yes(`${texture} ${kind}`);
    if (count > 1) yes(`${count === 2 ? 'two' : count === 3 ? 'three' : 'many'} ${kind}`);
  }
  yes(`background ${scene.background}`);
  if (scene.sky) yes(`sky ${scene.sky}`);
  for (const detail of scene.details) yes(`detail ${detail}`);
  return target;
}
