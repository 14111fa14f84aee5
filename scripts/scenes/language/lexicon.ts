// The words for things, places and relations. The first of several is the common one.
import type { Background, Detail, Kind, Predicate, Size, Sky, Texture } from '../classes';
import type { Support } from '../compositions';
import { SCENE_NOUNS, type SceneNoun } from '../../../lib/datasets/scene-nouns';

export type Noun = SceneNoun;
export const NOUNS: Readonly<Record<Kind, readonly Noun[]>> = SCENE_NOUNS;

export const SIZE_WORDS: Readonly<Record<Size, readonly string[]>> = {
  small: ['small', 'little', 'tiny', 'very small'],
  medium: [],
  large: ['large', 'big', 'huge', 'very large'],
};

/** Before the noun ("striped"), and after it ("with stripes"). */
export const TEXTURE_WORDS: Readonly<Record<Texture, { readonly before: readonly string[]; readonly after: readonly string[] }>> =
  {
    plain: { before: [], after: [] },
    striped: { before: ['striped', 'stripy'], after: ['with stripes', 'with a striped pattern'] },
    dotted: { before: ['dotted', 'spotted', 'polka-dot'], after: ['with dots', 'with spots', 'with polka dots'] },
    checked: { before: ['checkered', 'checked'], after: ['with checks', 'with a checkered pattern'] },
  };

/** What else a number of things may be called. */
export const COUNT_PHRASES: Readonly<Record<number, readonly string[]>> = {
  2: ['two', 'a pair of', 'a couple of'],
  3: ['three', 'a group of three'],
  4: ['four', 'a group of four', 'several'],
};
export const COUNT_WORDS: readonly string[] = ['no', 'one', 'two', 'three', 'four'];

export const PREDICATE_WORDS: Readonly<Record<Predicate, readonly string[]>> = {
  'left of': ['to the left of', 'on the left side of', 'left of'],
  'right of': ['to the right of', 'on the right side of', 'right of'],
  above: ['above', 'over'],
  below: ['below', 'under', 'beneath'],
  on: ['on top of', 'on'],
  under: ['under', 'underneath'],
  behind: ['behind'],
  'in front of': ['in front of'],
};
export const CLOSE_WORDS: readonly string[] = ['next to', 'beside', 'close to', 'near'];

/** Where things are, on the ground (or water) and in the air of each background. */
export const PLACES: Readonly<Record<Background, Readonly<Record<'ground' | 'air', readonly string[]>>>> = {
  meadow: {
    ground: ['in a meadow', 'on the grass', 'in a green field', 'on a lawn'],
    air: ['over a meadow', 'above the grass', 'over a green field', 'over green hills'],
  },
  beach: {
    ground: ['on the beach', 'on the sand', 'on a sandy beach', 'on the shore', 'at the seaside'],
    air: ['over the beach', 'above the sand', 'over a sandy beach', 'above the shore'],
  },
  sea: {
    ground: ['on the sea', 'on the water', 'on the ocean', 'on the waves'],
    air: ['over the sea', 'above the water', 'over the ocean', 'above the waves'],
  },
  desert: {
    ground: ['in the desert', 'on the sand', 'in a sandy desert', 'among sand dunes'],
    air: ['over the desert', 'above the dunes', 'over a sandy desert', 'above the hot sand'],
  },
  snow: {
    ground: ['in the snow', 'on the snow', 'on a snowy field', 'on the white ground', 'in winter'],
    air: ['over the snow', 'above the snow', 'over a snowy field', 'over a winter landscape'],
  },
  night: {
    ground: ['at night', 'under a dark sky', 'on a dark hill', 'in the dark', 'under the night sky'],
    air: ['in the night sky', 'in a dark sky', 'at night', 'in the dark'],
  },
  room: {
    ground: ['on a wooden floor', 'in a room', 'on the floor of a room', 'on brown floorboards', 'indoors'],
    air: ['in a room', 'above a wooden floor', 'over a wooden floor', 'indoors'],
  },
  bricks: {
    ground: ['in front of a brick wall', 'by a brick wall', 'near a brick wall', 'before a wall of bricks'],
    air: ['in front of a brick wall', 'before a brick wall', 'against a brick wall', 'before a wall of bricks'],
  },
  table: {
    ground: ['on a table', 'on a tablecloth', 'on a checkered tablecloth', 'on a covered table'],
    air: ['over a table', 'above a table', 'above a tablecloth', 'over a covered table'],
  },
  street: {
    ground: ['on the street', 'on the road', 'on a grey road', 'on the asphalt'],
    air: ['over the street', 'above the road', 'over a grey road', 'above the asphalt'],
  },
};

/** The background as a thing of its own. */
export const SETTINGS: Readonly<Record<Background, readonly string[]>> = {
  meadow: ['a green meadow', 'a meadow', 'a grassy field', 'a field of grass'],
  beach: ['a sandy beach', 'a beach', 'a beach by the sea', 'the seaside'],
  sea: ['the blue sea', 'the sea', 'an ocean', 'a sea'],
  desert: ['a sandy desert', 'a desert', 'a desert landscape', 'a hot desert'],
  snow: ['a snowy field', 'a white winter landscape', 'a snowy landscape', 'a winter scene'],
  night: ['a dark night', 'a night scene', 'a starry night', 'a night sky'],
  room: ['a room', 'an indoor scene', 'a simple room', 'a quiet room'],
  bricks: ['a brick wall', 'a red brick wall', 'a wall of bricks', 'an old brick wall'],
  table: ['a table', 'a checkered tablecloth', 'a covered table', 'a table top'],
  street: ['a grey street', 'a street', 'a road', 'a quiet street'],
};

/** What is seen behind the things, where something is. */
export const BEHIND: Readonly<Partial<Record<Background, readonly string[]>>> = {
  meadow: ['green hills', 'a green hill'],
  beach: ['the sea', 'the blue sea'],
  desert: ['sand dunes', 'a dune'],
  snow: ['snowy hills', 'white hills'],
  night: ['a dark sky', 'a starry sky'],
  bricks: ['a brick wall', 'a red brick wall', 'an old brick wall'],
};

export const SKY_WORDS: Readonly<Record<Sky, readonly string[]>> = {
  blue: ['a blue sky', 'a clear blue sky', 'a bright sky'],
  orange: ['an orange sky', 'a sunset sky', 'an orange evening sky'],
  grey: ['a grey sky', 'a cloudy grey sky'],
};

/** A detail as an addition to a sentence. */
export const DETAIL_WORDS: Readonly<Record<Detail, readonly string[]>> = {
  sun: ['with the sun in the sky', 'while the sun is shining'],
  clouds: ['with some clouds in the sky', 'with white clouds', 'with a few clouds'],
  moon: ['with a moon in the sky', 'in the moonlight', 'with a yellow moon'],
  window: ['with a window in the background', 'with a window in the wall'],
  picture: ['with a picture on the wall', 'with a framed picture'],
  cactus: ['with a cactus in the background', 'with a cactus behind'],
  stones: ['with some stones on the ground', 'with a few stones'],
  shells: ['with some shells', 'with a few shells'],
  snowfall: ['while it is snowing', 'with falling snow'],
  bush: ['with a bush in the background', 'with a green bush'],
};

export interface Verb {
  readonly one: string;
  readonly many: string;
  readonly doing: string;
}

const verb = (many: string, one = `${many}s`, doing = `${many}ing`): Verb => ({ one, many, doing });
export const VERBS = {
  stand: verb('stand'),
  lie: verb('lie', 'lies', 'lying'),
  sit: verb('sit', 'sits', 'sitting'),
  fly: verb('fly', 'flies'),
  float: verb('float'),
  swim: verb('swim', 'swims', 'swimming'),
  hover: verb('hover'),
  rest: verb('rest'),
  sail: verb('sail'),
  grow: verb('grow'),
  park: { one: 'is parked', many: 'are parked', doing: 'parked' },
  drift: verb('drift'),
  hang: verb('hang'),
} as const;
type Doing = keyof typeof VERBS;

const ON_GROUND: Readonly<Record<Kind, readonly Doing[]>> = {
  circle: ['lie', 'rest'],
  square: ['stand', 'rest'],
  triangle: ['stand', 'rest'],
  star: ['lie', 'rest'],
  heart: ['lie', 'rest'],
  house: ['stand'],
  tree: ['stand', 'grow'],
  car: ['park', 'stand'],
  boat: ['lie', 'rest'],
  ball: ['lie', 'rest'],
  fish: ['lie'],
  bird: ['stand', 'sit'],
  cat: ['sit'],
  butterfly: ['sit', 'rest'],
  mushroom: ['stand', 'grow'],
  flower: ['grow', 'stand'],
  cup: ['stand'],
  umbrella: ['stand', 'rest'],
  balloon: ['rest'],
  kite: ['lie'],
  rocket: ['stand'],
  chair: ['stand'],
  apple: ['lie', 'rest'],
  gift: ['lie', 'stand'],
};

/** What a thing does where it is, the likeliest first. */
export function doings(kind: Kind, support: Support, background: Background): readonly Doing[] {
  if (support === 'air') {
    if (kind === 'bird' || kind === 'butterfly' || kind === 'rocket' || kind === 'kite') return ['fly'];
    if (kind === 'balloon') return ['float', 'drift'];
    return kind === 'star' || kind === 'heart' ? ['hang', 'float'] : ['float', 'hover'];
  }
  if (support === 'water')
    return kind === 'boat'
      ? ['float', 'sail']
      : kind === 'fish'
        ? ['swim']
        : kind === 'bird'
          ? ['swim', 'float']
          : ['float', 'drift'];
  const natural = background === 'meadow' || background === 'desert' || background === 'night';
  const choices = ON_GROUND[kind].filter((doing) => doing !== 'grow' || (support === 'ground' && natural));
  return support === 'top' && (kind === 'circle' || kind === 'ball') ? ['lie', 'rest'] : choices;
}
