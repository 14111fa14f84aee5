// The seven compositions. Each puts one to three groups of alike things somewhere; whether they fit is for the layout to say.
import { type Background, CANVAS, HABITATS, type Kind, KINDS, type Predicate, type Size, SIZE_RANGES } from './classes';
import { FIGURES } from './figures';
import { area, type Box, centreX, grown, overlap, union } from './geometry';
import { boxAt, type Measured, measure } from './placement';
import type { Random } from './random';

export const COMPOSITIONS = ['single', 'group', 'beside', 'over', 'stacked', 'depth', 'between'] as const;
export type Composition = (typeof COMPOSITIONS)[number];

/** What carries a thing: the ground, the air, the water, or the top of another thing. */
export type Support = 'ground' | 'air' | 'water' | 'top';

/** One kind of thing at one size, one or more of it. */
export interface Group {
  readonly kind: Kind;
  readonly size: Size;
  readonly support: Support;
  readonly figures: readonly Measured[];
  readonly boxes: readonly Box[];
  readonly inRow: boolean;
}

export interface Link {
  readonly subject: number;
  readonly predicate: Predicate;
  readonly object: number;
}

export interface Layout {
  readonly composition: Composition;
  readonly groups: readonly Group[];
  readonly links: readonly Link[];
}

export interface Stage {
  readonly background: Background;
  readonly horizon: number;
  readonly surface: 'ground' | 'water';
  readonly rng: Random;
}

type Where = 'surface' | 'air';

/**
 * How likely a kind is in a place, 0 where it does not belong. The weights even out how often each kind is seen over all
 * backgrounds: kinds that only fly, and those that only float, come more often where they can.
 */
function weightOf(kind: Kind, stage: Stage, where: Where): number {
  const { ground, air, water } = HABITATS[kind];
  if (where === 'air') return !air ? 0 : ground ? 1.1 : 2.2;
  if (stage.surface === 'water') return !water ? 0 : kind === 'boat' ? 7 : kind === 'fish' ? 3.4 : 0.6;
  // A boat may lie on the beach.
  if (kind === 'boat') return stage.background === 'beach' ? 5 : 0;
  return !ground ? 0 : air ? 0.75 : 1.1;
}

/** Kinds that fit a place; undefined where none does. */
function kindFor(stage: Stage, where: Where, allowed: readonly Kind[], refused: readonly Kind[] = []): Kind | undefined {
  const weights: Partial<Record<Kind, number>> = {};
  for (const kind of allowed) {
    const weight = refused.includes(kind) ? 0 : weightOf(kind, stage, where);
    if (weight > 0) weights[kind] = weight;
  }
  return Object.keys(weights).length > 0 ? stage.rng.weighted(weights) : undefined;
}

function figure(stage: Stage, kind: Kind, size: Size, where: Where | 'seat'): Measured {
  const { rng } = stage;
  const [low, high] = SIZE_RANGES[size];
  const reach = where === 'air' ? 14 : where === 'seat' ? 2 : stage.surface === 'water' ? 6 : 4;
  return measure({
    kind,
    length: rng.range(low, high),
    turn: Math.round(rng.range(-reach, reach) * 10) / 10,
    mirrored: rng.chance(0.5),
  });
}

/** How low a box may end on the surface; big things stand nearer. */
function footing(stage: Stage, height: number): number {
  const low = Math.max(stage.horizon + 12, height + 4);
  return stage.rng.range(Math.min(low, 121), 124);
}

function topInAir(stage: Stage, height: number): number {
  return stage.rng.range(4, Math.max(5, stage.horizon + 4 - height));
}

function support(stage: Stage, where: Where): Support {
  return where === 'air' ? 'air' : stage.surface;
}

function one(stage: Stage, kind: Kind, size: Size, where: Where, shape: Measured, box: Box): Group {
  return { kind, size, support: support(stage, where), figures: [shape], boxes: [box], inRow: false };
}

/** Several alike things, in a row or scattered. */
function many(stage: Stage, kind: Kind, size: Size, where: Where, count: number, left: number, width: number): Group | undefined {
  const { rng } = stage;
  const inRow = rng.chance(0.6);
  const shape = figure(stage, kind, size, where);
  const figures = Array.from({ length: count }, () =>
    measure({
      ...shape,
      length: shape.length * rng.range(0.95, 1.05),
      turn: Math.round((shape.turn + rng.range(-4, 4)) * 10) / 10,
    }),
  );
  const boxes: Box[] = [];
  if (inRow) {
    const gap = rng.range(3, 7);
    const total = figures.reduce((sum, { width: w }) => sum + w, 0) + gap * (count - 1);
    if (total > width) return undefined;
    let x = left + rng.range(0, width - total);
    const tallest = Math.max(...figures.map(({ height }) => height));
    const line = where === 'air' ? topInAir(stage, tallest) + tallest : footing(stage, tallest);
    for (const item of figures) {
      boxes.push(boxAt(item, x, line - item.height + rng.range(-1, 1)));
      x += item.width + gap;
    }
  } else {
    for (const item of figures) {
      let placed: Box | undefined;
      for (let attempt = 0; attempt < 12 && !placed; attempt++) {
        const y = where === 'air' ? topInAir(stage, item.height) : footing(stage, item.height) - item.height;
        const box = boxAt(item, left + rng.range(0, Math.max(0, width - item.width)), y);
        if (boxes.every((other) => overlap(grown(box), other) === 0)) placed = box;
      }
      if (!placed) return undefined;
      boxes.push(placed);
    }
  }
  return { kind, size, support: support(stage, where), figures, boxes, inRow };
}

/** One attempt; undefined where it does not work out. */
export type Compose = (stage: Stage, kinds: readonly Kind[]) => Layout | undefined;

const single: Compose = (stage, kinds) => {
  const where: Where = stage.rng.chance(0.35) ? 'air' : 'surface';
  const kind = kindFor(stage, where, kinds);
  if (!kind) return undefined;
  const size = stage.rng.weighted<Size>({ small: 0.15, medium: 0.4, large: 0.45 });
  const shape = figure(stage, kind, size, where);
  const x = stage.rng.range(4, CANVAS - 4 - shape.width);
  const y = where === 'air' ? topInAir(stage, shape.height) : footing(stage, shape.height) - shape.height;
  return { composition: 'single', groups: [one(stage, kind, size, where, shape, boxAt(shape, x, y))], links: [] };
};

const group: Compose = (stage, kinds) => {
  const where: Where = stage.rng.chance(0.35) ? 'air' : 'surface';
  const kind = kindFor(stage, where, kinds);
  const count = 2 + stage.rng.int(3);
  const size: Size = count === 2 && stage.rng.chance(0.3) ? 'large' : count === 4 || stage.rng.chance(0.4) ? 'small' : 'medium';
  const members = kind && many(stage, kind, size, where, count, 4, CANVAS - 8);
  return members && { composition: 'group', groups: [members], links: [] };
};

/** Two groups side by side; one of them may be two or three of a kind. */
const beside: Compose = (stage, kinds) => {
  const { rng } = stage;
  const where: Where = rng.chance(0.25) ? 'air' : 'surface';
  const first = kindFor(stage, where, kinds);
  // Now and then two of a kind in different colours.
  const second = rng.chance(0.12) ? first : kindFor(stage, where, kinds, first && [first]);
  if (!first || !second) return undefined;
  const counts = rng.pick([
    [1, 1],
    [1, 1],
    [1, 1],
    [2, 1],
    [3, 1],
    [1, 2],
  ] as const);
  const sizes = counts.map((count) =>
    count > 1 ? rng.weighted<Size>({ small: 0.75, medium: 0.25 }) : rng.weighted<Size>({ small: 0.2, medium: 0.55, large: 0.25 }),
  );
  const groups: Group[] = [];
  let left = rng.range(3, 16);
  for (const [i, kind] of [first, second].entries()) {
    const room = many(stage, kind, sizes[i], where, counts[i], left, i === 0 && counts[0] > 1 ? 70 : CANVAS - 3 - left);
    if (!room) return undefined;
    // The group begins where the one before ends, whatever place it drew.
    const move = left - union(room.boxes)[0];
    const boxes = room.boxes.map(([x, y, w, h]): Box => [Math.round((x + move) * 10) / 10, y, w, h]);
    groups.push({ ...room, boxes, inRow: room.inRow && counts[i] > 1 });
    left = union(boxes)[0] + union(boxes)[2] + rng.range(3, 24);
  }
  return { composition: 'beside', groups, links: [{ subject: 0, predicate: 'left of', object: 1 }] };
};

/** One in the air above one on the ground or the water. */
const over: Compose = (stage, kinds) => {
  const { rng } = stage;
  const high = kindFor(stage, 'air', kinds);
  const low = kindFor(stage, 'surface', kinds, high && [high]);
  if (!high || !low) return undefined;
  const lowSize = rng.weighted<Size>({ small: 0.15, medium: 0.6, large: 0.25 });
  const lowShape = figure(stage, low, lowSize, 'surface');
  const lowBox = boxAt(lowShape, rng.range(6, CANVAS - 6 - lowShape.width), footing(stage, lowShape.height) - lowShape.height);
  const highSize = rng.weighted<Size>({ small: 0.45, medium: 0.55 });
  const highShape = figure(stage, high, highSize, 'air');
  const highBox = boxAt(highShape, centreX(lowBox) - highShape.width / 2 + rng.range(-10, 10), topInAir(stage, highShape.height));
  return {
    composition: 'over',
    groups: [one(stage, low, lowSize, 'surface', lowShape, lowBox), one(stage, high, highSize, 'air', highShape, highBox)],
    links: [{ subject: 1, predicate: 'above', object: 0 }],
  };
};

const RESTING: readonly Kind[] = [
  'circle',
  'square',
  'triangle',
  'star',
  'heart',
  'ball',
  'fish',
  'bird',
  'cat',
  'butterfly',
  'mushroom',
  'cup',
  'apple',
  'gift',
  'rocket',
];
const SEATS: readonly Kind[] = KINDS.filter((kind) => 'seat' in FIGURES[kind]);

/** One thing on top of another. */
const stacked: Compose = (stage, kinds) => {
  const { rng } = stage;
  const base = kindFor(
    stage,
    'surface',
    kinds.filter((kind) => SEATS.includes(kind)),
  );
  const top = kindFor(
    { ...stage, surface: 'ground' },
    'surface',
    kinds.filter((kind) => RESTING.includes(kind)),
    base && [base],
  );
  if (!base || !top) return undefined;
  const baseSize = rng.weighted<Size>({ medium: 0.4, large: 0.6 });
  const topSize = baseSize === 'large' && rng.chance(0.45) ? 'medium' : 'small';
  const baseShape = figure(stage, base, baseSize, 'seat');
  const baseBox = boxAt(
    baseShape,
    rng.range(8, CANVAS - 8 - baseShape.width),
    footing(stage, baseShape.height) - baseShape.height,
  );
  const topShape = figure(stage, top, topSize, 'seat');
  const seat = baseShape.seat;
  if (!seat) return undefined;
  const x = baseBox[0] + rng.range(seat.left, seat.right) - topShape.width / 2;
  const topBox = boxAt(topShape, x, baseBox[1] + seat.fromTop - topShape.height + 1.2);
  // A thing that would hang over the edge by more than half does not rest.
  if (topShape.width > baseShape.width * 1.05) return undefined;
  return {
    composition: 'stacked',
    groups: [
      one(stage, base, baseSize, 'surface', baseShape, baseBox),
      { kind: top, size: topSize, support: 'top', figures: [topShape], boxes: [topBox], inRow: false },
    ],
    links: [{ subject: 1, predicate: 'on', object: 0 }],
  };
};

/** One thing partly hidden behind another. */
const depth: Compose = (stage, kinds) => {
  const { rng } = stage;
  const near = kindFor(stage, 'surface', kinds);
  const far = kindFor(stage, 'surface', kinds, near && [near]);
  if (!near || !far) return undefined;
  const farSize = rng.weighted<Size>({ medium: 0.35, large: 0.65 });
  const nearSize =
    farSize === 'medium' ? rng.weighted<Size>({ small: 0.4, medium: 0.6 }) : rng.weighted<Size>({ small: 0.3, medium: 0.7 });
  const farShape = figure(stage, far, farSize, 'surface');
  const nearShape = figure(stage, near, nearSize, 'surface');
  const nearBase = footing(stage, nearShape.height);
  const nearBox = boxAt(nearShape, rng.range(6, CANVAS - 6 - nearShape.width), nearBase - nearShape.height);
  const farBase = nearBase - rng.range(5, 16);
  if (farBase < stage.horizon + 4) return undefined;
  const side = rng.chance(0.5) ? 1 : -1;
  const farBox = boxAt(
    farShape,
    centreX(nearBox) + side * (nearShape.width / 2) * rng.range(0.5, 1.1) - farShape.width / 2,
    farBase - farShape.height,
  );
  // What is hidden must stay recognisable: at most two fifths of it.
  if (overlap(nearBox, farBox) > 0.4 * area(farBox)) return undefined;
  return {
    composition: 'depth',
    groups: [one(stage, far, farSize, 'surface', farShape, farBox), one(stage, near, nearSize, 'surface', nearShape, nearBox)],
    links: [{ subject: 0, predicate: 'behind', object: 1 }],
  };
};

/** Three things: in a line, or two side by side with a third in the air above one of them. */
const between: Compose = (stage, kinds) => {
  const { rng } = stage;
  const aloft = rng.chance(0.45);
  const a = kindFor(stage, 'surface', kinds);
  const b = kindFor(stage, 'surface', kinds, a && [a]);
  const c = a && b && kindFor(stage, aloft ? 'air' : 'surface', kinds, [a, b]);
  if (!a || !b || !c) return undefined;
  const sizes = aloft
    ? [rng.pick(['medium', 'large'] as const), 'medium' as const, 'small' as const]
    : (['small', 'medium', 'small'] as const);
  const line: [Kind, Size][] = aloft
    ? [
        [a, sizes[0]],
        [b, sizes[1]],
      ]
    : [
        [a, sizes[0]],
        [b, sizes[1]],
        [c, sizes[2]],
      ];
  const groups: Group[] = [];
  let left = rng.range(3, aloft ? 14 : 8);
  for (const [kind, size] of aloft ? rng.shuffle(line) : line) {
    const shape = figure(stage, kind, size, 'surface');
    const box = boxAt(shape, left, footing(stage, shape.height) - shape.height);
    groups.push(one(stage, kind, size, 'surface', shape, box));
    left = box[0] + box[2] + rng.range(3, 12);
  }
  if (!aloft) {
    return {
      composition: 'between',
      groups,
      links: [
        { subject: 0, predicate: 'left of', object: 1 },
        { subject: 1, predicate: 'left of', object: 2 },
      ],
    };
  }
  const shape = figure(stage, c, 'small', 'air');
  const below = groups[rng.int(2)].boxes[0];
  const box = boxAt(shape, centreX(below) - shape.width / 2 + rng.range(-8, 8), topInAir(stage, shape.height));
  groups.push(one(stage, c, 'small', 'air', shape, box));
  const under = groups.findIndex((item) => item.boxes[0] === below);
  return {
    composition: 'between',
    groups,
    links: [
      { subject: 0, predicate: 'left of', object: 1 },
      { subject: 2, predicate: 'above', object: under },
    ],
  };
};

export const COMPOSE: Readonly<Record<Composition, Compose>> = { single, group, beside, over, stacked, depth, between };
