// Five people who describe a picture, each in a way of their own. They agree on what matters most (the scene's entities
// come in order of saliency) and differ in what else they mention, in order and in words.
import { Random } from '../random';
import type { Scene } from '../scene';
import { type Habits, listed, sentence, Speaker } from './phrases';

export const ANNOTATORS = ['terse', 'wordy', 'counting', 'relating', 'surroundings'] as const;
export type Annotator = (typeof ANNOTATORS)[number];

const HABITS: Readonly<Record<Annotator, Habits>> = {
  terse: { size: 0.08, texture: 0.2, colour: 0.97, synonym: 0.08, after: 0, one: 0, grouping: 0 },
  wordy: { size: 0.85, texture: 0.95, colour: 1, synonym: 0.35, after: 0.3, one: 0, grouping: 0.5 },
  counting: { size: 0.15, texture: 0.4, colour: 0.96, synonym: 0.15, after: 0, one: 0.55, grouping: 0 },
  relating: { size: 0.3, texture: 0.45, colour: 0.98, synonym: 0.22, after: 0.15, one: 0, grouping: 0.3 },
  surroundings: { size: 0.2, texture: 0.35, colour: 0.93, synonym: 0.35, after: 0.15, one: 0, grouping: 0.6 },
};

/** After "there are", a pair is two; before another "with", stripes come before the noun. */
const PLAIN_COUNT = { grouping: 0 } as const;
const NO_TAIL = { after: 0 } as const;

type Describe = (say: Speaker, scene: Scene) => string;

const terse: Describe = (say, { entities }) => {
  if (entities.length === 1) return say.chance(0.6) ? `${say.thing(0)} ${say.place(0)}` : `${say.thing(0)}`;
  const [a, b] = say.pair();
  const relation = say.relation(a, b, 0.6);
  const place = say.chance(0.25) ? ` ${say.placeOfAll()}` : '';
  if (entities.length === 3 && say.chance(0.6)) return `${listed(say.all())}${place}`;
  return relation && say.chance(0.55)
    ? `${say.thing(a)} ${relation} ${say.thing(b)}`
    : `${say.thing(a)} and ${say.thing(b)}${place}`;
};

const wordy: Describe = (say, { entities }) => {
  if (entities.length === 1) {
    return say.frame(
      () => `${say.thing(0)} ${say.does(0)}${say.row(0, 0.6)} ${say.place(0)}`,
      () => `${say.thing(0)} ${say.does(0, true)}${say.row(0, 0.6)} ${say.place(0)}${under(say, 0.4)}`,
      () => `there ${say.be(0)} ${say.thing(0, PLAIN_COUNT)} ${say.doing(0)}${say.row(0, 0.6)} ${say.place(0)}`,
      () => `${say.place(0)} you can see ${say.thing(0)}${say.row(0, 0.5)}`,
    );
  }
  const [a, b] = say.pair();
  const middle = say.middle();
  if (middle && say.chance(0.6)) {
    const [m, left, right] = middle;
    return `${say.thing(m)} ${say.does(m)} between ${say.thing(left)} and ${say.thing(right)}`;
  }
  const relation = say.relation(a, b, 0.2);
  if (!relation) return `${listed(say.all())} ${say.placeOfAll()}`;
  const third = entities.length === 3 && say.chance(0.5) ? ` and ${say.thing(2)}` : '';
  return say.frame(
    () => `${say.thing(a)} ${say.does(a)} ${relation} ${say.thing(b)} ${say.placeOfAll()}`,
    () => `${say.thing(a)} ${say.does(a, true)} ${relation} ${say.thing(b)} ${say.placeOfAll()}`,
    () => `${say.placeOfAll()} ${say.thing(a)} ${say.does(a)} ${relation} ${say.thing(b)}`,
    () => {
      const rest = third ? `, ${say.thing(b)}${third}` : ` ${relation} ${say.thing(b)}`;
      return `there ${say.be(a)} ${say.thing(a, PLAIN_COUNT)}${rest} ${say.placeOfAll()}`;
    },
  );
};

const counting: Describe = (say, { entities }) => {
  const place = say.placeOfAll();
  if (entities.length === 1) {
    return say.frame(
      () => `there ${say.be(0)} ${say.thing(0)} ${place}`,
      () => `${say.thing(0)} ${place}`,
      () => `I see ${say.thing(0)} ${place}`,
      () => `${say.thing(0)} ${say.does(0)} ${place}`,
    );
  }
  const things = listed(say.all());
  const total = entities.reduce((sum, { count }) => sum + count, 0);
  return say.frame(
    () => `there ${say.be(0)} ${things} ${place}`,
    () => `${things} ${place}`,
    () => `${things}`,
    () => `I see ${things}`,
    () =>
      total === entities.length ? `${total === 2 ? 'two' : 'three'} things ${place}, ${things}` : `there ${say.be(0)} ${things}`,
  );
};

const relating: Describe = (say, { entities }) => {
  if (entities.length === 1) {
    if (entities[0].count === 1 && say.chance(0.25)) return `${say.thing(0)} ${say.does(0)} ${say.side(0)}`;
    return say.frame(
      () => `${say.thing(0)} ${say.does(0)}${say.row(0, 0.6)} ${say.place(0)}`,
      () => `${say.thing(0)} ${say.does(0, true)}${say.row(0, 0.6)} ${say.place(0)}`,
      () => `${say.thing(0)} ${say.doing(0)}${say.row(0, 0.6)} ${say.place(0)}`,
    );
  }
  const middle = say.middle();
  if (middle) {
    const [m, left, right] = middle;
    return `${say.thing(m)} ${say.chance(0.4) ? `${say.does(m)} ` : ''}between ${say.thing(left)} and ${say.thing(right)}`;
  }
  const [a, b] = say.chance(0.75) ? say.pair() : [...say.pair()].reverse();
  const relation = say.relation(a, b, 0.25);
  if (!relation) return `${say.thing(a)} and ${say.thing(b)}`;
  const third = entities.length === 3 && say.chance(0.5) ? say.third() : undefined;
  if (third) return `${say.thing(a)} ${relation} ${say.thing(b)} and ${say.thing(2)}`;
  return say.frame(
    () => `${say.thing(a)} ${say.does(a)} ${relation} ${say.thing(b)}`,
    () => `${say.thing(a)} ${say.does(a, true)} ${relation} ${say.thing(b)}`,
    () => `${say.thing(a)} ${relation} ${say.thing(b)}`,
    () => `${say.thing(b, NO_TAIL)} with ${say.thing(a, NO_TAIL)} ${relation} ${entities[b].count > 1 ? 'them' : 'it'}`,
  );
};

const surroundings: Describe = (say, { entities }) => {
  const several = entities.length > 1;
  const things = (sort: Partial<Habits> = {}) => listed((several ? [0, 1] : [0]).map((i) => say.thing(i, sort)));
  const be = several ? 'are' : say.be(0);
  const behind = say.behind();
  return say.frame(
    () => `${things()} ${say.placeOfAll()}${under(say, 0.5)}`,
    () => `${things()} ${be} ${say.placeOfAll()}${extra(say, 0.4)}`,
    () => `${say.setting()} with ${things(NO_TAIL)}`,
    () => `${say.placeOfAll()} there ${say.be(0)} ${things(PLAIN_COUNT)}`,
    () => `${things()} ${say.placeOfAll()}${extra(say, 0.5)}`,
    () => (behind ? `${things(NO_TAIL)} with ${behind} in the background` : `${things()} ${say.placeOfAll()}`),
  );
};

function under(say: Speaker, probability: number): string {
  const sky = say.sky();
  return sky && say.chance(probability) ? ` under ${sky}` : '';
}

function extra(say: Speaker, probability: number): string {
  const detail = say.detail();
  return detail && say.chance(probability) ? ` ${detail}` : '';
}

const DESCRIBE: Readonly<Record<Annotator, Describe>> = { terse, wordy, counting, relating, surroundings };

/** What one annotator says of a scene. By default the words too follow from the scene's seed. */
export function annotate(
  scene: Scene,
  annotator: Annotator,
  rng: Random = new Random(`${scene.seed}/captions/${annotator}`),
): string {
  return sentence(DESCRIBE[annotator](new Speaker(scene, HABITS[annotator], rng), scene));
}

/** One caption of each annotator, in the order of {@link ANNOTATORS}. */
export function annotateAll(scene: Scene): string[] {
  return ANNOTATORS.map((annotator) => annotate(scene, annotator));
}
