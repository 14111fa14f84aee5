/**
 * The Porter stemmer (M. F. Porter, "An algorithm for suffix stripping", Program 14.3, 1980) with the extensions that NLTK's
 * `PorterStemmer` applies by default (mode NLTK_EXTENSIONS); METEOR as NLTK computes it rests on these very stems.
 */

type Condition = (stem: string) => boolean;
/** Suffix, what takes its place, and what must hold of the word without the suffix. */
type Rule = [suffix: string, replacement: string, condition?: Condition];

/** Words that the rules get wrong, and their stems (extension). */
const IRREGULAR = new Map([
  ['sky', 'sky'], ['skies', 'sky'], ['dying', 'die'], ['lying', 'lie'], ['tying', 'tie'], ['news', 'news'],
  ['innings', 'inning'], ['inning', 'inning'], ['outings', 'outing'], ['outing', 'outing'], ['cannings', 'canning'], ['canning', 'canning'],
  ['howe', 'howe'], ['proceed', 'proceed'], ['exceed', 'exceed'], ['succeed', 'succeed'],
]);

/** One flag a letter: true for a consonant. A `y` is one at the start and after a vowel. */
function consonants(word: string): boolean[] {
  const flags: boolean[] = [];
  for (let i = 0; i < word.length; i++) {
    const letter = word[i];
    if (letter === 'y') flags.push(i === 0 || !flags[i - 1]);
    else flags.push(!'aeiou'.includes(letter));
  }
  return flags;
}

/** Porter's m: how often a consonant follows a vowel. */
function measure(stem: string): number {
  const flags = consonants(stem);
  let m = 0;
  for (let i = 1; i < flags.length; i++) if (flags[i] && !flags[i - 1]) m++;
  return m;
}

const positive: Condition = (stem) => measure(stem) > 0;
const aboveOne: Condition = (stem) => measure(stem) > 1;

/** Porter's *o: consonant, vowel, consonant other than w, x, y; as an extension also a word of just vowel and consonant. */
function endsInShortSyllable(word: string): boolean {
  const flags = consonants(word);
  const n = word.length;
  if (n === 2) return !flags[0] && flags[1];
  return n >= 3 && flags[n - 3] && !flags[n - 2] && flags[n - 1] && !'wxy'.includes(word[n - 1]);
}

/** Apply the first rule whose suffix fits; when its condition fails, no later rule is tried. */
function applyFirst(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, condition] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return !condition || condition(stem) ? stem + replacement : word;
  }
  return word;
}

const PLURALS: readonly Rule[] = [['sses', 'ss'], ['ies', 'i'], ['ss', 'ss'], ['s', '']];

function plural(word: string): string {
  if (word.length === 4 && word.endsWith('ies')) return word.slice(0, -1);
  return applyFirst(word, PLURALS);
}

function pastAndParticiple(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return positive(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find((ending) => word.endsWith(ending) && consonants(word.slice(0, -ending.length)).includes(false));
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  const last = stem[stem.length - 1];
  if (stem.length >= 2 && last === stem[stem.length - 2] && consonants(stem)[stem.length - 1]) {
    return 'lsz'.includes(last) ? stem : stem.slice(0, -1);
  }
  return measure(stem) === 1 && endsInShortSyllable(stem) ? `${stem}e` : stem;
}

/** y becomes i after a consonant that is not the whole stem (extension: the paper asks for a vowel before it). */
function finalY(word: string): string {
  if (!word.endsWith('y') || word.length < 3) return word;
  return consonants(word)[word.length - 2] ? `${word.slice(0, -1)}i` : word;
}

const DOUBLE_SUFFIXES: readonly Rule[] = [
  ['ational', 'ate', positive], ['tional', 'tion', positive], ['enci', 'ence', positive], ['anci', 'ance', positive],
  ['izer', 'ize', positive], ['bli', 'ble', positive], ['alli', 'al', positive], ['entli', 'ent', positive], ['eli', 'e', positive],
  ['ousli', 'ous', positive], ['ization', 'ize', positive], ['ation', 'ate', positive], ['ator', 'ate', positive],
  ['alism', 'al', positive], ['iveness', 'ive', positive], ['fulness', 'ful', positive], ['ousness', 'ous', positive],
  ['aliti', 'al', positive], ['iviti', 'ive', positive], ['biliti', 'ble', positive], ['fulli', 'ful', positive],
  // The l of logi counts with the stem, so that geo- and theo- behave as archaeo- does (extension).
  ['logi', 'log', (stem) => positive(`${stem}l`)],
];

function doubleSuffix(word: string): string {
  // Extension: -alli goes first, and what is left is tried again.
  if (word.endsWith('alli') && positive(word.slice(0, -4))) return doubleSuffix(word.slice(0, -2));
  return applyFirst(word, DOUBLE_SUFFIXES);
}

const IC_FUL_NESS: readonly Rule[] = [
  ['icate', 'ic', positive], ['ative', '', positive], ['alize', 'al', positive], ['iciti', 'ic', positive], ['ical', 'ic', positive],
  ['ful', '', positive], ['ness', '', positive],
];

const LAST_SUFFIXES: readonly Rule[] = [
  ['al', '', aboveOne], ['ance', '', aboveOne], ['ence', '', aboveOne], ['er', '', aboveOne], ['ic', '', aboveOne], ['able', '', aboveOne],
  ['ible', '', aboveOne], ['ant', '', aboveOne], ['ement', '', aboveOne], ['ment', '', aboveOne], ['ent', '', aboveOne],
  ['ion', '', (stem) => aboveOne(stem) && /[st]$/.test(stem)], ['ou', '', aboveOne], ['ism', '', aboveOne], ['ate', '', aboveOne],
  ['iti', '', aboveOne], ['ous', '', aboveOne], ['ive', '', aboveOne], ['ize', '', aboveOne],
];

function finalE(word: string): string {
  if (!word.endsWith('e')) return word;
  const stem = word.slice(0, -1);
  const m = measure(stem);
  return m > 1 || (m === 1 && !endsInShortSyllable(stem)) ? stem : word;
}

function finalDoubleL(word: string): string {
  return word.endsWith('ll') && aboveOne(word.slice(0, -1)) ? word.slice(0, -1) : word;
}

const OUTSIDE_BMP = /[\u{10000}-\u{10ffff}]/gu;

/** The stem of one word, lower-cased first. Words of one or two characters are left as they are. */
export function porterStem(word: string): string {
  if (/[\ud800-\udfff]/.test(word)) return stemOutsideBmp(word);
  const lower = word.toLowerCase();
  const irregular = IRREGULAR.get(lower);
  if (irregular !== undefined) return irregular;
  if (word.length <= 2) return lower;
  let stem = pastAndParticiple(plural(lower));
  stem = doubleSuffix(finalY(stem));
  stem = applyFirst(applyFirst(stem, IC_FUL_NESS), LAST_SUFFIXES);
  return finalDoubleL(finalE(stem));
}

/** Some rules count characters: let one private-use character stand for each one that JavaScript writes as two. */
function stemOutsideBmp(word: string): string {
  const held: string[] = [];
  const short = word.toLowerCase().replace(OUTSIDE_BMP, (character) => {
    const at = held.indexOf(character);
    return String.fromCharCode(0xe000 + (at >= 0 ? at : held.push(character) - 1));
  });
  // A lone surrogate, or more kinds of characters than there are stand-ins: such a string is no word.
  if (/[\ud800-\udfff]/.test(short) || held.length > 1000) return word.toLowerCase();
  return porterStem(short).replace(/[\ue000-\ue3e8]/g, (stand) => held[stand.charCodeAt(0) - 0xe000] ?? stand);
}
