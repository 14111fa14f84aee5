// A scene: what is in a picture, where, and what each thing is to the others; and its drawing as SVG.
import { type Backdrop, BACKDROPS, drawBackdrop, SKY_HIDES } from './backdrop';
import {
  type Background,
  BACKGROUNDS,
  CANVAS,
  type Colour,
  COLOURS,
  type Detail,
  type Kind,
  KINDS,
  type Predicate,
  type Size,
  type Sky,
  type Texture,
} from './classes';
import { FIGURES } from './figures';
import { bottom, type Box, gapX, INVERSE, union } from './geometry';
import { type Composition, type Group, type Layout, type Link, type Support } from './compositions';
import { saliency, tryLayout } from './layout';
import { inkFor } from './paint';
import type { Measured } from './placement';
import { Random } from './random';

/** One thing in the picture. Its box holds all of the thing, the part behind another included. */
export interface Thing {
  readonly kind: Kind;
  readonly colour: Colour;
  readonly texture: Texture;
  readonly size: Size;
  readonly box: Box;
  /** Index of its entity. */
  readonly entity: number;
}

/** Alike things that a sentence names together: "two red balls". Entities are in order of saliency. */
export interface Entity {
  readonly kind: Kind;
  readonly colour: Colour;
  readonly texture: Texture;
  readonly size: Size;
  readonly count: number;
  readonly support: Support;
  readonly inRow: boolean;
  /** Around all of its things. */
  readonly box: Box;
}

/** "entities[subject] PREDICATE entities[object]". */
export interface Relation {
  readonly subject: number;
  readonly predicate: Predicate;
  readonly object: number;
  /** Side by side with hardly a gap. */
  readonly close: boolean;
}

export interface Scene {
  readonly seed: string;
  readonly composition: Composition;
  readonly background: Background;
  readonly sky?: Sky;
  readonly details: readonly Detail[];
  readonly entities: readonly Entity[];
  readonly objects: readonly Thing[];
  readonly relations: readonly Relation[];
  readonly svg: string;
}

export interface SceneOptions {
  /** Kinds to choose from; all by default. */
  readonly kinds?: readonly Kind[];
  readonly backgrounds?: readonly Background[];
  /** How often each composition is drawn, in proportion. */
  readonly compositions?: Readonly<Partial<Record<Composition, number>>>;
}

const COMPOSITION_WEIGHTS: Readonly<Record<Composition, number>> = {
  single: 0.17,
  group: 0.2,
  beside: 0.22,
  over: 0.13,
  stacked: 0.1,
  depth: 0.08,
  between: 0.1,
};

/** Colours a kind often has in the world; it has them a little more often here. */
const USUAL: Readonly<Partial<Record<Kind, Colour>>> = {
  tree: 'green',
  apple: 'red',
  mushroom: 'red',
  heart: 'red',
  star: 'yellow',
};

function colourFor(group: Group, background: Background, sky: Sky | undefined, taken: ReadonlySet<Colour>, rng: Random): Colour {
  const hidden = new Set<Colour>(group.support === 'top' ? [] : BACKDROPS[background].hides);
  // Tall things and things in the air are seen before the sky or the wall.
  if (sky && (group.support === 'air' || group.size === 'large')) for (const colour of SKY_HIDES[sky]) hidden.add(colour);
  if (background === 'sea' && group.support === 'air') hidden.delete('blue');
  if (background === 'sea' && sky === 'blue') hidden.add('blue');
  const weights: Partial<Record<Colour, number>> = {};
  for (const colour of COLOURS) {
    if (!hidden.has(colour) && !taken.has(colour)) weights[colour] = USUAL[group.kind] === colour ? 3 : 1;
  }
  return rng.weighted(weights);
}

interface Coat {
  readonly colour: Colour;
  readonly texture: Texture;
}

function draw(layout: Layout, coats: readonly Coat[], backdrop: Backdrop, background: Background, rng: Random): string {
  const night = background === 'night';
  let definitions = backdrop.definitions;
  const items = layout.groups.flatMap((group, g) =>
    group.boxes.map((box, i) => ({ group, g, box, figure: group.figures[i], id: `t${g}${i}` })),
  );
  // Nearer things end lower and are drawn later; what rests on a thing comes after it.
  const depthOf = (item: (typeof items)[number]) =>
    (item.group.support === 'top' ? 1000 : item.group.support === 'air' ? -1000 : 0) + bottom(item.box);
  items.sort((a, b) => depthOf(a) - depthOf(b));
  let body = '';
  for (const { group, g, box, figure, id } of items) {
    const { ink, definitions: own } = inkFor(coats[g].colour, coats[g].texture, id, figure.scale, new Random(`${rng.bits()}`));
    definitions += own;
    if (group.support === 'ground') body += shadow(box);
    body +=
      `<g transform="${transformOf(figure, box)}" stroke="${night && ink.colour !== 'white' ? '#0a0d18' : ink.line}" ` +
      `stroke-width="${ink.width.toFixed(2)}" stroke-linejoin="round">${FIGURES[group.kind].draw(ink)}</g>`;
    if (group.support === 'water') body += waterline(box);
  }
  // Light falls from one side.
  const fromLeft = rng.chance(0.5);
  const strength = rng.range(0.04, 0.16).toFixed(2);
  definitions += `<linearGradient id="light" x1="${fromLeft ? 0 : 1}" x2="${fromLeft ? 1 : 0}"><stop offset=".35" ` +
    `stop-opacity="0"/><stop offset="1" stop-opacity="${strength}"/></linearGradient>`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${CANVAS} ${CANVAS}" width="${CANVAS}" ` +
    `height="${CANVAS}"><defs>${definitions}</defs>` +
    `${backdrop.body}${body}<rect width="${CANVAS}" height="${CANVAS}" fill="url(#light)"/></svg>`
  );
}

/** The transform that draws a measured figure into its box. */
export function transformOf(figure: Measured, box: Box): string {
  const scale = figure.scale.toFixed(4);
  return (
    `translate(${(box[0] + figure.originX).toFixed(2)} ${(box[1] + figure.originY).toFixed(2)}) ` +
    `rotate(${figure.turn}) scale(${figure.mirrored ? `-${scale}` : scale} ${scale})`
  );
}

function shadow(box: Box): string {
  const number = (value: number) => value.toFixed(1);
  return (
    `<ellipse cx="${number(box[0] + box[2] / 2)}" cy="${number(bottom(box) - 0.8)}" rx="${number(box[2] * 0.48)}" ` +
    `ry="${number(Math.min(3.2, 1.2 + box[2] * 0.03))}" fill="#000" fill-opacity=".22"/>`
  );
}

function waterline(box: Box): string {
  const number = (value: number) => value.toFixed(1);
  return (
    `<path d="M${number(box[0] - 2)} ${number(bottom(box) - 1)}q${number(box[2] / 4 + 1)} -4 ${number(box[2] / 2 + 2)} ` +
    `0t${number(box[2] / 2 + 2)} 0" ` +
    'fill="none" stroke="#e4f3fb" stroke-width="1.8" stroke-opacity=".85"/>'
  );
}

/**
 * A scene from its seed: the same seed and options always give the same scene. Use a name of your own before the number
 * ("pretrain/vit/17"): the dataset's are `scenes/…`.
 */
export function generateScene(seed: string, options: SceneOptions = {}): Scene {
  const rng = new Random(`${seed}/layout`);
  const kinds = options.kinds ?? KINDS;
  const backgrounds = options.backgrounds ?? BACKGROUNDS;
  for (let attempt = 0; attempt < 2000; attempt++) {
    const background = rng.pick(backgrounds);
    const backdrop = BACKDROPS[background];
    const composition = rng.weighted<Composition>(options.compositions ?? COMPOSITION_WEIGHTS);
    const horizon = Math.round(rng.range(...backdrop.horizon) * 10) / 10;
    // A rare composition gets several tries, or crowded ones would hardly ever be seen.
    let layout: Layout | undefined;
    for (let i = 0; i < 30 && !layout; i++) layout = tryLayout(background, horizon, { composition, kinds }, rng);
    if (layout) {
      const scene = dress(seed, background, horizon, layout, new Random(`${seed}/paint`));
      if (scene) return scene;
    }
  }
  throw new Error(`Scene ${seed}: no layout found in 2,000 attempts; allow more kinds, backgrounds or compositions.`);
}

function dress(seed: string, background: Background, horizon: number, layout: Layout, rng: Random): Scene | undefined {
  const backdrop = BACKDROPS[background];
  const order = layout.groups
    .map((_, i) => i)
    .sort((a, b) => saliency(layout.groups[b].boxes) - saliency(layout.groups[a].boxes));
  const weights = order.map((i) => saliency(layout.groups[i].boxes));
  // What comes first in a caption must be seen to come first.
  if (weights.length > 1 && weights[0] < 1.06 * weights[1]) return undefined;

  const sky = backdrop.outdoors
    ? rng.weighted<Sky>(background === 'snow' ? { blue: 0.4, orange: 0.2, grey: 0.4 } : { blue: 0.6, orange: 0.2, grey: 0.2 })
    : undefined;
  const wanted = (Object.entries(backdrop.details) as [Detail, number][])
    .filter(([, probability]) => rng.chance(probability))
    .map(([name]) => name)
    .filter((name) => !(name === 'sun' && sky === 'grey') && !(name === 'clouds' && sky === 'grey'));
  const coats: Coat[] = [];
  for (const [i, group] of layout.groups.entries()) {
    // Things that touch, and things of one kind, differ in colour.
    const differ = (j: number) =>
      layout.groups[j].kind === group.kind ||
      layout.links.some(
        ({ subject, predicate, object }) =>
          (predicate === 'on' || predicate === 'behind') && [subject, object].includes(i) && [subject, object].includes(j),
      );
    const colour = colourFor(group, background, sky, new Set(coats.filter((_, j) => differ(j)).map((coat) => coat.colour)), rng);
    coats.push({ colour, texture: rng.weighted<Texture>({ plain: 0.58, striped: 0.16, dotted: 0.13, checked: 0.13 }) });
  }

  const entities = order.map((i): Entity => {
    const { kind, size, support, inRow, boxes } = layout.groups[i];
    return { kind, ...coats[i], size, count: boxes.length, support, inRow, box: union(boxes) };
  });
  const objects = order.flatMap((i, entity) =>
    layout.groups[i].boxes.map((box): Thing => {
      const { kind, size } = layout.groups[i];
      return { kind, ...coats[i], size, box, entity };
    }),
  );
  const relations = layout.links.map((link: Link): Relation => {
    const subject = order.indexOf(link.subject);
    const object = order.indexOf(link.object);
    const close =
      (link.predicate === 'left of' || link.predicate === 'right of') && gapX(entities[subject].box, entities[object].box) <= 11;
    return { subject, predicate: link.predicate, object, close };
  });
  const picture = new Random(`${seed}/picture`);
  const drawn = drawBackdrop(
    background,
    sky,
    horizon,
    wanted,
    objects.map(({ box }) => box),
    picture,
  );
  const svg = draw(layout, coats, drawn, background, picture);
  return { seed, composition: layout.composition, background, sky, details: drawn.details, entities, objects, relations, svg };
}

/** How `subject` stands to `object` in a scene, whichever way round the scene states it. */
export function relationBetween(
  scene: Scene,
  subject: number,
  object: number,
): { predicate: Predicate; close: boolean } | undefined {
  for (const relation of scene.relations) {
    if (relation.subject === subject && relation.object === object) return relation;
    if (relation.subject === object && relation.object === subject)
      return { predicate: INVERSE[relation.predicate], close: relation.close };
  }
  return undefined;
}

/**
 * What a scene is, positions and details left out. The dataset holds no signature twice; a pretraining script that must
 * not show what the test split shows leaves out scenes with a signature of `datasetSignatures`.
 */
export function sceneSignature(scene: Pick<Scene, 'background' | 'entities' | 'relations'>): string {
  const entities = scene.entities.map(
    ({ count, size, texture, colour, kind }) => `${count} ${size} ${texture} ${colour} ${kind}`,
  );
  const relations = scene.relations.map(({ subject, predicate, object }) => `${subject} ${predicate} ${object}`);
  return [scene.background, ...entities, ...relations].join('; ');
}
