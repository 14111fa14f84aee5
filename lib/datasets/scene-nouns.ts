/** What the captions of Scenes call the things in the pictures. */

export interface SceneNoun {
  readonly singular: string;
  readonly plural: string;
}

const noun = (singular: string, plural = `${singular}s`): SceneNoun => ({ singular, plural });

/** The words for each kind of thing, the common one first. */
export const SCENE_NOUNS = {
  circle: [noun('circle'), noun('disc')],
  square: [noun('square')],
  triangle: [noun('triangle')],
  star: [noun('star')],
  heart: [noun('heart')],
  house: [noun('house'), noun('cottage'), noun('building')],
  tree: [noun('tree')],
  car: [noun('car'), noun('automobile'), noun('vehicle')],
  boat: [noun('boat'), noun('sailboat'), noun('ship')],
  ball: [noun('ball'), noun('beach ball')],
  fish: [noun('fish', 'fish')],
  bird: [noun('bird')],
  cat: [noun('cat'), noun('kitten')],
  butterfly: [noun('butterfly', 'butterflies')],
  mushroom: [noun('mushroom'), noun('toadstool')],
  flower: [noun('flower'), noun('blossom')],
  cup: [noun('cup'), noun('mug')],
  umbrella: [noun('umbrella'), noun('parasol')],
  balloon: [noun('balloon')],
  kite: [noun('kite'), noun('paper kite')],
  rocket: [noun('rocket'), noun('spaceship')],
  chair: [noun('chair')],
  apple: [noun('apple')],
  gift: [noun('gift'), noun('present'), noun('gift box', 'gift boxes')],
} as const satisfies Readonly<Record<string, readonly SceneNoun[]>>;

const kinds: ReadonlyMap<string, string> = new Map(
  Object.entries<readonly SceneNoun[]>(SCENE_NOUNS).flatMap(([kind, nouns]) =>
    nouns.flatMap(({ singular, plural }): [string, string][] => [[singular, kind], [plural, kind]])),
);

/** The kind of thing, as `SceneObject.name` has it, that a word of a caption names ("toadstools": mushroom); undefined for other words. */
export const sceneObjectName = (word: string): string | undefined => kinds.get(word.toLowerCase());
