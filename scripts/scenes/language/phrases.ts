// From a scene to pieces of sentences: noun phrases, adverbials, clauses. A speaker's habits choose among the words.
import type { Random } from '../random';
import { type Entity, relationBetween, type Scene } from '../scene';
import {
  BEHIND,
  CLOSE_WORDS,
  COUNT_PHRASES,
  COUNT_WORDS,
  DETAIL_WORDS,
  doings,
  NOUNS,
  PLACES,
  PREDICATE_WORDS,
  SETTINGS,
  SIZE_WORDS,
  SKY_WORDS,
  TEXTURE_WORDS,
  VERBS,
} from './lexicon';

/** How a speaker chooses words: probabilities. */
export interface Habits {
  /** Of naming a size that is not medium. */
  readonly size: number;
  /** Of naming a texture that is not plain. */
  readonly texture: number;
  readonly colour: number;
  /** Of another word than the common one. */
  readonly synonym: number;
  /** Of "with stripes" after the noun rather than "striped" before it. */
  readonly after: number;
  /** Of "one" for a single thing. */
  readonly one: number;
  /** Of choosing freely between "two" and "a pair of", where synonyms are chosen. */
  readonly grouping: number;
}

export function article(words: string): string {
  return /^[aeiou]/.test(words) && !/^(one|uni)/.test(words) ? `an ${words}` : `a ${words}`;
}

export function sentence(words: string): string {
  const text = words.replace(/\s+/g, ' ').replace(/ ,/g, ',').trim();
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** "a, b and c". */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;
}

export class Speaker {
  constructor(
    private readonly scene: Scene,
    private readonly habits: Habits,
    private readonly rng: Random,
  ) {}

  chance(probability: number): boolean {
    return this.rng.chance(probability);
  }

  /** The first of the words, or now and then another. */
  word(words: readonly string[]): string {
    return words.length > 1 && this.rng.chance(this.habits.synonym) ? this.rng.pick(words.slice(1)) : words[0];
  }

  /** One of the frames, all alike likely. */
  frame(...frames: (() => string)[]): string {
    return this.rng.pick(frames)();
  }

  /** "two small striped red balls", "an orange umbrella with dots". */
  thing(index: number, sort: Partial<Habits> = {}): string {
    const habits = { ...this.habits, ...sort };
    const { size, texture, colour, kind, count } = this.scene.entities[index];
    const words: string[] = [];
    if (size !== 'medium' && this.rng.chance(habits.size)) words.push(this.word(SIZE_WORDS[size]));
    let tail = '';
    if (texture !== 'plain' && this.rng.chance(habits.texture)) {
      if (this.rng.chance(habits.after)) tail = ` ${this.word(TEXTURE_WORDS[texture].after)}`;
      else words.push(this.word(TEXTURE_WORDS[texture].before));
    }
    // Of two balls the colour tells which.
    const alike = this.scene.entities.some((other, i) => i !== index && other.kind === kind);
    if (this.rng.chance(habits.colour) || alike) words.push(colour);
    const nouns = NOUNS[kind];
    const name = nouns.length > 1 && this.rng.chance(habits.synonym) ? this.rng.pick(nouns.slice(1)) : nouns[0];
    words.push(count > 1 ? name.plural : name.singular);
    const phrase = words.join(' ');
    const counted =
      count > 1
        ? `${this.rng.chance(habits.grouping) ? this.word(COUNT_PHRASES[count]) : COUNT_WORDS[count]} ${phrase}`
        : this.rng.chance(habits.one)
          ? `one ${phrase}`
          : article(phrase);
    return counted + tail;
  }

  all(sort: Partial<Habits> = {}): string[] {
    return this.scene.entities.map((_, i) => this.thing(i, sort));
  }

  private entity(index: number): Entity {
    return this.scene.entities[index];
  }

  /** " in a row", " side by side", or nothing where the things of an entity are scattered. */
  row(index: number, probability: number): string {
    const { inRow, count } = this.entity(index);
    if (!inRow || count < 2 || !this.rng.chance(probability)) return '';
    return count === 2 ? ' side by side' : ' in a row';
  }

  /** Where in the picture a single thing is. */
  side(index: number): string {
    const { box } = this.entity(index);
    const x = box[0] + box[2] / 2;
    return x < 44 ? 'on the left of the picture' : x > 84 ? 'on the right of the picture' : 'in the middle of the picture';
  }

  /** "is", "are". */
  be(index: number): string {
    return this.entity(index).count > 1 ? 'are' : 'is';
  }

  /** "stands", "are flying". */
  does(index: number, progressive = false): string {
    const { kind, support, count } = this.entity(index);
    const form = VERBS[this.word(doings(kind, support, this.scene.background)) as keyof typeof VERBS];
    if (!progressive || form === VERBS.park) return count > 1 ? form.many : form.one;
    return `${count > 1 ? 'are' : 'is'} ${form.doing}`;
  }

  /** "standing", "flying". */
  doing(index: number): string {
    const { kind, support } = this.entity(index);
    return VERBS[this.word(doings(kind, support, this.scene.background)) as keyof typeof VERBS].doing;
  }

  /** Where a thing is; things on top of another take the place of what carries them. */
  place(index: number): string {
    const { support } = this.entity(index);
    if (support === 'water' && this.scene.entities.every((other) => other.kind === 'fish'))
      return this.word(['in the sea', 'in the water']);
    return this.word(PLACES[this.scene.background][support === 'air' ? 'air' : 'ground']);
  }

  /** Where all of the picture's things are together. */
  placeOfAll(): string {
    const { entities } = this.scene;
    const grounded = entities.findIndex(({ support }) => support !== 'air');
    return this.place(grounded < 0 ? 0 : grounded);
  }

  setting(): string {
    return this.word(SETTINGS[this.scene.background]);
  }

  /** "a brick wall", "green hills"; undefined where nothing of the setting stands behind the things. */
  behind(): string | undefined {
    const words = BEHIND[this.scene.background];
    return words && this.word(words);
  }

  sky(): string | undefined {
    return this.scene.sky && this.word(SKY_WORDS[this.scene.sky]);
  }

  detail(): string | undefined {
    return this.scene.details.length > 0 ? this.word(DETAIL_WORDS[this.rng.pick(this.scene.details)]) : undefined;
  }

  /** "to the left of", "on top of", "next to"; undefined where the two are not related. */
  relation(subject: number, object: number, near = 0): string | undefined {
    const relation = relationBetween(this.scene, subject, object);
    if (!relation) return undefined;
    if (relation.close && this.rng.chance(near)) return this.word(CLOSE_WORDS);
    return this.word(PREDICATE_WORDS[relation.predicate]);
  }

  /** The first two entities in the order people say them: what is on top of or in front of another comes first. */
  pair(): [number, number] {
    const predicate = relationBetween(this.scene, 0, 1)?.predicate;
    return predicate === 'under' || predicate === 'below' ? [1, 0] : [0, 1];
  }

  /** The entity between two others, and those, where three stand in a line. */
  middle(): [number, number, number] | undefined {
    const side = (a: number, b: number) => relationBetween(this.scene, a, b)?.predicate;
    for (const [middle, a, b] of [
      [0, 1, 2],
      [1, 0, 2],
      [2, 0, 1],
    ] as const) {
      if (this.scene.entities.length < 3) return undefined;
      if (side(middle, a) === 'right of' && side(middle, b) === 'left of') return [middle, a, b];
      if (side(middle, a) === 'left of' && side(middle, b) === 'right of') return [middle, b, a];
    }
    return undefined;
  }

  /** For a third thing: which of the first two it is related to, and how. */
  third(): { other: number; words: string } | undefined {
    for (const other of [0, 1]) {
      const words = this.relation(2, other);
      if (words) return { other, words };
    }
    return undefined;
  }
}
