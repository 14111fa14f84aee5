// Every caption of the data set, read back by a small grammar of its own, against the boxes and attributes of its picture.
import assert from 'node:assert/strict';
import { datasetScenes, rowOf, type SceneRow } from '../../scripts/scenes';

const COUNTS: Record<string, number> = {
  a: 1, an: 1, one: 1, two: 2, three: 3, four: 4, 'a pair of': 2, 'a couple of': 2, 'a group of three': 3, 'a group of four': 4, several: 4,
};
const SIZES: Record<string, string> = {
  small: 'small', little: 'small', tiny: 'small', 'very small': 'small', large: 'large', big: 'large', huge: 'large', 'very large': 'large',
};
const TEXTURES: Record<string, string> = {
  striped: 'striped', stripy: 'striped', dotted: 'dotted', spotted: 'dotted', 'polka-dot': 'dotted', checkered: 'checked', checked: 'checked',
};
const PATTERNS: Record<string, string> = {
  'with stripes': 'striped', 'with a striped pattern': 'striped', 'with dots': 'dotted', 'with spots': 'dotted', 'with polka dots': 'dotted',
  'with checks': 'checked', 'with a checkered pattern': 'checked',
};
const COLOURS = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'black', 'white'];
const ONE: Record<string, string> = {
  circle: 'circle', disc: 'circle', square: 'square', triangle: 'triangle', star: 'star', heart: 'heart', house: 'house', cottage: 'house',
  building: 'house', tree: 'tree', car: 'car', automobile: 'car', vehicle: 'car', boat: 'boat', sailboat: 'boat', ship: 'boat', ball: 'ball',
  'beach ball': 'ball', fish: 'fish', bird: 'bird', cat: 'cat', kitten: 'cat', butterfly: 'butterfly', mushroom: 'mushroom',
  toadstool: 'mushroom', flower: 'flower', blossom: 'flower', cup: 'cup', mug: 'cup', umbrella: 'umbrella', parasol: 'umbrella',
  balloon: 'balloon', kite: 'kite', 'paper kite': 'kite', rocket: 'rocket', spaceship: 'rocket', chair: 'chair', apple: 'apple', gift: 'gift',
  present: 'gift', 'gift box': 'gift',
};
const MANY: Record<string, string> = Object.fromEntries(
  Object.entries(ONE).map(([word, kind]) => [
    word === 'fish' ? 'fish' : word === 'butterfly' ? 'butterflies' : word === 'gift box' ? 'gift boxes' : `${word}s`, kind,
  ]),
);

const any = (words: readonly string[]) => `(?:${[...words].sort((a, b) => b.length - a.length).join('|')})`;
const NOUN = any([...Object.keys(ONE), ...Object.keys(MANY)]);
const THING = new RegExp(
  `\\b(${any(Object.keys(COUNTS))}) (?:(${any(Object.keys(SIZES))}) )?(?:(${any(Object.keys(TEXTURES))}) )?(?:(${any(COLOURS)}) )?` +
  `(${NOUN})\\b(?: (${any(Object.keys(PATTERNS))}))?`, 'g');

interface Group {
  name: string; colour: string; texture: string; size: string; count: number;
  left: number; right: number; top: number; bottom: number;
}

function groupsOf(row: SceneRow): Group[] {
  const entities = [...new Set(row.objects.map(({ entity }) => entity))];
  return entities.map((entity) => {
    const members = row.objects.filter((object) => object.entity === entity);
    const { name, attributes: { colour, texture, size } } = members[0];
    return {
      name, colour, texture, size, count: members.length,
      left: Math.min(...members.map(({ box }) => box[0])), right: Math.max(...members.map(({ box }) => box[0] + box[2])),
      top: Math.min(...members.map(({ box }) => box[1])), bottom: Math.max(...members.map(({ box }) => box[1] + box[3])),
    };
  });
}

/** The groups a noun phrase may speak of. */
function meant(match: RegExpMatchArray, groups: readonly Group[]): Group[] {
  const [, count, size, before, colour, noun, after] = match;
  const texture = before ? TEXTURES[before] : after && PATTERNS[after];
  const kind = COUNTS[count] > 1 ? MANY[noun] : ONE[noun];
  return groups.filter((group) => group.name === kind && group.count === COUNTS[count] && (!size || SIZES[size] === group.size) &&
    (!colour || colour === group.colour) && (!texture || texture === group.texture));
}

const across = (a: Group, b: Group) => Math.min(a.right, b.right) - Math.max(a.left, b.left);
const upright = (a: Group, b: Group) => Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
const middleY = (a: Group) => (a.top + a.bottom) / 2;
const RELATIONS: [words: string, holds: (a: Group, b: Group) => boolean][] = [
  ['(?:to the left of|on the left side of|left of)', (a, b) => a.right <= b.left + 1 && upright(a, b) > 0],
  ['(?:to the right of|on the right side of|right of)', (a, b) => a.left >= b.right - 1 && upright(a, b) > 0],
  ['(?:next to|beside|close to|near)', (a, b) => across(a, b) < 1 && across(a, b) > -12 && upright(a, b) > 0],
  ['(?:above|over|on top of|on)', (a, b) => middleY(a) < middleY(b) && across(a, b) > 0 && a.bottom < b.bottom],
  ['(?:below|under|beneath|underneath)', (a, b) => middleY(a) > middleY(b) && across(a, b) > 0 && a.bottom > b.bottom],
  ['behind', (a, b) => a.bottom < b.bottom && across(a, b) > 0 && upright(a, b) > 0],
  ['in front of', (a, b) => a.bottom > b.bottom && across(a, b) > 0 && upright(a, b) > 0],
];
const DOES = '(?:(?:(?:is|are) )?(?:stand(?:s|ing)?|lies?|lying|sits?|sitting|fly|flies|flying|floats?|floating|swims?|swimming|hovers?|hovering|' +
  'rests?|resting|sails?|sailing|grows?|growing|parked|drifts?|drifting|hangs?|hanging) )?';

// What may be said of a place only where it is.
const PLACES: [words: RegExp, backgrounds: string[]][] = [
  [/meadow|grass|green field|lawn|green hill/, ['meadow']],
  [/\bbeach(?! ball)|shore|seaside/, ['beach']],
  [/\bsea\b/, ['sea', 'beach']],
  [/ocean|waves|water/, ['sea']],
  [/desert|dune/, ['desert']],
  [/\bsand\b/, ['desert', 'beach']],
  [/snow|winter|white ground|white hills/, ['snow']],
  [/night|dark/, ['night']],
  [/wooden|floor|indoor|\broom\b/, ['room']],
  [/brick/, ['bricks']],
  [/table/, ['table']],
  [/street|road|asphalt/, ['street']],
];
const SKIES: [RegExp, string][] = [[/(clear )?blue sky|bright sky/, 'blue'], [/orange sky|sunset sky|orange evening sky/, 'orange'], [/(cloudy )?grey sky/, 'grey']];
const DETAILS: [RegExp, string][] = [
  [/\bsun\b/, 'sun'], [/clouds/, 'clouds'], [/moon/, 'moon'], [/window/, 'window'], [/picture on the wall|framed picture/, 'picture'],
  [/cactus/, 'cactus'], [/stones/, 'stones'], [/shells/, 'shells'], [/snowing|falling snow/, 'snowfall'], [/bush/, 'bush'],
];

describe('Captions of Scenes are true of their pictures', () => {
  const rows = [...datasetScenes()].map(rowOf);
  const each = (check: (caption: string, row: SceneRow, groups: Group[]) => void) => {
    for (const row of rows) {
      const groups = groupsOf(row);
      for (const caption of row.captions) check(caption.toLowerCase().replace(/\.$/, ''), row, groups);
    }
  };

  it('names nothing that is not there: kind, count, colour, texture and size', () => {
    const bare = new RegExp(`\\b${NOUN}\\b`, 'g');
    let phrases = 0;
    each((caption, row, groups) => {
      const things = [...caption.matchAll(THING)];
      assert.ok(things.length > 0, `${row.id}: no thing found in '${caption}'`);
      for (const match of things) assert.ok(meant(match, groups).length > 0, `${row.id}: '${match[0]}' in '${caption}'`);
      // No noun is left over that the grammar did not read.
      assert.equal((caption.replace(THING, '').match(bare) ?? []).length, 0, `${row.id}: unread noun in '${caption}'`);
      phrases += things.length;
    });
    assert.ok(phrases > 8000, `${phrases} noun phrases`);
  });

  it('states relations that the boxes bear out', () => {
    const seen = new Map<string, number>();
    each((caption, row, groups) => {
      const things = [...caption.matchAll(THING)];
      const end = (i: number) => (things[i].index ?? 0) + things[i][0].length;
      for (let i = 0; i + 1 < things.length; i++) {
        const gap = caption.slice(end(i), things[i + 1].index).trim();
        for (const [words, holds] of RELATIONS) {
          const check = (a: RegExpMatchArray, b: RegExpMatchArray) => {
            seen.set(words, (seen.get(words) ?? 0) + 1);
            const pairs = meant(a, groups).flatMap((first) => meant(b, groups).map((second) => [first, second] as const));
            assert.ok(pairs.some(([first, second]) => first !== second && holds(first, second)), `${row.id}: '${caption}'`);
          };
          if (new RegExp(`^${DOES}${words}$`).test(gap)) check(things[i], things[i + 1]);
          const tail = caption.slice(end(i + 1)).trim();
          if (gap === 'with' && new RegExp(`^${words} (?:it|them)$`).test(tail)) check(things[i + 1], things[i]);
        }
      }
    });
    for (const [words] of RELATIONS) assert.ok((seen.get(words) ?? 0) >= 20, `${words}: read ${seen.get(words) ?? 0} times`);
  });

  it('says "between" of what is between', () => {
    let seen = 0;
    each((caption, row, groups) => {
      if (!caption.includes(' between ')) return;
      const [middle, first, second] = [...caption.matchAll(THING)].map((match) => meant(match, groups)[0]);
      assert.ok(first.right <= middle.left + 1 && middle.right <= second.left + 1, `${row.id}: '${caption}'`);
      seen++;
    });
    assert.ok(seen > 50);
  });

  it('says where in the picture truthfully', () => {
    each((caption, row, [main]) => {
      const x = (main.left + main.right) / 2;
      if (caption.includes('on the left of the picture')) assert.ok(x < 48, `${row.id}: '${caption}'`);
      if (caption.includes('on the right of the picture')) assert.ok(x > 80, `${row.id}: '${caption}'`);
      if (caption.includes('in the middle of the picture')) assert.ok(x > 40 && x < 88, `${row.id}: '${caption}'`);
    });
  });

  it('names the background, the sky and the details that are drawn', () => {
    const seen = new Set<string>();
    each((caption, row) => {
      const rest = caption.replace(THING, '');
      for (const [words, backgrounds] of PLACES) {
        if (!words.test(rest)) continue;
        assert.ok(backgrounds.includes(row.background), `${row.id} (${row.background}): '${caption}'`);
        seen.add(row.background);
      }
      for (const [words, sky] of SKIES) if (words.test(rest)) assert.equal(row.sky, sky, `${row.id}: '${caption}'`);
      for (const [words, detail] of DETAILS) if (words.test(rest)) assert.ok(row.details.some((name) => name === detail), `${row.id}: '${caption}'`);
    });
    assert.equal(seen.size, 10);
  });

  it('is written in sentences: articles, numbers, length, no word twice', () => {
    let words = 0;
    let usual = 0;
    const vocabulary = new Set<string>();
    for (const caption of rows.flatMap((row) => row.captions)) {
      assert.match(caption, /^[A-Z][A-Za-z ,-]*\.$/);
      assert.doesNotMatch(caption, / {2}|\b(\w+) \1\b/, caption);
      assert.doesNotMatch(caption.toLowerCase(), /\ba [aeiou]|\ban [^aeiou]/, caption);
      const lower = caption.toLowerCase().replace(/\.$/, '');
      for (const match of lower.matchAll(THING)) {
        const many = COUNTS[match[1]] > 1;
        const before = lower.slice(0, match.index).trim();
        const after = lower.slice((match.index ?? 0) + match[0].length);
        if (/(^|[a-z] )there (is|are)$/.test(before)) assert.ok(before.endsWith(many ? 'are' : 'is'), caption);
        // After "a and b" the verb goes with both.
        if (!/(^| )and$/.test(before)) assert.doesNotMatch(after, many ? /^ (is|stands|lies|sits|flies|floats|rests)\b/ : /^ (are|stand|lie|sit|fly|float|rest)\b/, caption);
        else assert.doesNotMatch(after, /^ (is|stands|lies|sits|flies|floats|rests)\b/, caption);
      }
      const tokens = caption.toLowerCase().replace(/[.,]/g, '').split(' ');
      for (const token of tokens) vocabulary.add(token);
      words += tokens.length;
      if (tokens.length >= 6 && tokens.length <= 15) usual++;
      assert.ok(tokens.length >= 2 && tokens.length <= 26, caption);
    }
    assert.ok(usual / 6000 > 0.8, `${usual} of 6000 captions of 6 to 15 words`);
    assert.ok(words / 6000 > 9 && words / 6000 < 12, `${words / 6000} words a caption`);
    assert.ok(vocabulary.size >= 200 && vocabulary.size <= 350, `${vocabulary.size} words`);
  });
});
