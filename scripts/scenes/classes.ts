// The classes a scene is made of. Their order is part of the interface: labels of pretraining pictures are indices into
// these lists, so append, never reorder.

export const KINDS = [
  'circle',
  'square',
  'triangle',
  'star',
  'heart',
  'house',
  'tree',
  'car',
  'boat',
  'ball',
  'fish',
  'bird',
  'cat',
  'butterfly',
  'mushroom',
  'flower',
  'cup',
  'umbrella',
  'balloon',
  'kite',
  'rocket',
  'chair',
  'apple',
  'gift',
] as const;
export const COLOURS = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'black', 'white'] as const;
export const TEXTURES = ['plain', 'striped', 'dotted', 'checked'] as const;
export const SIZES = ['small', 'medium', 'large'] as const;
export const BACKGROUNDS = ['meadow', 'beach', 'sea', 'desert', 'snow', 'night', 'room', 'bricks', 'table', 'street'] as const;
export const SKIES = ['blue', 'orange', 'grey'] as const;
/** Small things of a background that most annotators pass over. */
export const DETAILS = ['sun', 'clouds', 'moon', 'window', 'picture', 'cactus', 'stones', 'shells', 'snowfall', 'bush'] as const;
/** What one thing is to another, read "subject PREDICATE object". */
export const PREDICATES = ['left of', 'right of', 'above', 'below', 'on', 'under', 'behind', 'in front of'] as const;

export type Kind = (typeof KINDS)[number];
export type Colour = (typeof COLOURS)[number];
export type Texture = (typeof TEXTURES)[number];
export type Size = (typeof SIZES)[number];
export type Background = (typeof BACKGROUNDS)[number];
export type Sky = (typeof SKIES)[number];
export type Detail = (typeof DETAILS)[number];
export type Predicate = (typeof PREDICATES)[number];

/** Side of the square canvas that all coordinates and boxes of a scene are given in, in pixels. */
export const CANVAS = 128;

/** Longest side of a thing in pixels, by size; the gaps between the ranges keep "small" and "large" true at a glance. */
export const SIZE_RANGES: Readonly<Record<Size, readonly [number, number]>> = {
  small: [22, 28],
  medium: [35, 44],
  large: [58, 74],
};

/** Where a thing of a kind may be: standing on the ground, in the air, on water. */
export const HABITATS: Readonly<Record<Kind, { readonly ground: boolean; readonly air: boolean; readonly water: boolean }>> = {
  circle: { ground: true, air: true, water: true },
  square: { ground: true, air: true, water: true },
  triangle: { ground: true, air: true, water: true },
  star: { ground: true, air: true, water: false },
  heart: { ground: true, air: true, water: false },
  house: { ground: true, air: false, water: false },
  tree: { ground: true, air: false, water: false },
  car: { ground: true, air: false, water: false },
  boat: { ground: false, air: false, water: true },
  ball: { ground: true, air: true, water: true },
  fish: { ground: true, air: false, water: true },
  bird: { ground: true, air: true, water: true },
  cat: { ground: true, air: false, water: false },
  butterfly: { ground: true, air: true, water: false },
  mushroom: { ground: true, air: false, water: false },
  flower: { ground: true, air: false, water: false },
  cup: { ground: true, air: false, water: false },
  umbrella: { ground: true, air: true, water: false },
  balloon: { ground: false, air: true, water: false },
  kite: { ground: false, air: true, water: false },
  rocket: { ground: true, air: true, water: false },
  chair: { ground: true, air: false, water: false },
  apple: { ground: true, air: false, water: true },
  gift: { ground: true, air: false, water: true },
};
