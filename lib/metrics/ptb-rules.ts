/**
 * The rules by which the Stanford PTBTokenizer 3.4.1 cuts English text into Penn Treebank tokens, written down from its
 * behaviour: the conventions are those of nlp.stanford.edu/software/tokenizer.html and of the Treebank; the particulars were
 * found by running the tokenizer on exhaustive lists of short strings. Of two rules that match the same characters the earlier
 * one counts.
 *
 * Tokens that coco-caption drops anyway (quotes, full stops, commas, dashes) are told apart only where a longer token depends
 * on it.
 */
import type { LexerRule } from './longest-match-lexer';
import { DIGITS, LETTERS, MARKS, SYMBOLS } from './ptb-characters';

/**
 * What becomes of the matched characters: left out ('skip'), or a token. With `keep` only that many are used, the rest is read
 * again.
 */
export interface PtbAction {
  token: 'skip' | ((text: string) => string);
  keep?: number;
}

/** The pattern with its small letters in either case. */
const anyCase = (pattern: string) =>
  pattern.replace(/\[[^\]]*\]|[a-z]/g, (part) => {
    const both = part.replace(/[a-z]/g, (letter) => letter + letter.toUpperCase());
    return part[0] === '[' ? both : `[${both}]`;
  });
const oneOf = (list: string) => `(${list.trim().split(/\s+/).join('|')})`;

// Characters
const LETTER = `a-zA-Z${LETTERS}`;
const DIGIT = `[0-9${DIGITS}]`;
const ALPHANUMERIC = `[${LETTER}0-9${DIGITS}]`;
const WORD_LETTER = `([${LETTER}${MARKS}\\u00ad]|${anyCase('&[aeiou](acute|grave|uml);')})`;
const SPACE = '[ \\t\\u00a0\\u2000-\\u200a\\u3000]';
const SPACE_OR_END = '[ \\t\\n\\u0085\\u00a0\\u2000-\\u200a\\u3000]';
const APOSTROPHE = "(['\\u0092\\u2019]|&apos;)";
/** Also quotes that people type in its place. */
const LOOSE_APOSTROPHE = "(['`\\u0091\\u0092\\u2018\\u2019\\u201b]|&apos;)";
const HYPHEN = '[-_\\u058a\\u2010\\u2011]';

// Words
const WORD = `${WORD_LETTER}(${WORD_LETTER}|${DIGIT})*([.!?]${WORD_LETTER}(${WORD_LETTER}|${DIGIT})*)*`;
const ELIDED = `([dDoOlL]${LOOSE_APOSTROPHE}${ALPHANUMERIC})?${ALPHANUMERIC}+`;
const COMPOUND = `${ELIDED}(${HYPHEN}${ELIDED})*`;
const NEGATION = `[nN]${LOOSE_APOSTROPHE}[tT]`;
const AUXILIARY_LETTERS = anyCase('([sdm]|re|ve|ll)');
const AUXILIARY = `${APOSTROPHE}${AUXILIARY_LETTERS}`;

// Abbreviations
const ACRONYM = '[A-Za-z](\\.[A-Za-z])+';
const COMPOUND_WITH_STOPS = `[A-Za-z0-9][A-Za-z0-9.,\\u00ad]*(-([A-Za-z0-9\\u00ad]+|${ACRONYM}\\.))+`;
/** Titles and the like, which stand before something. */
const TITLE = `(${anyCase(oneOf(`
  adj adm adv alex assoc asst atty attys ave brig capt cf cie cmdr col comdr cpl dept det dr drs elec ens ft gen gov govs hon insp invt jos lieut
  lt maj messrs mlle mme mr mrs ms msgr mt natl pfc ph pres prof profs pvt rep reps rev sen sens sfc sgt spc st ste supt supts treas vs wm`))}|\
[mM][tf][gG])\\.`;
/** Those that may end a sentence. The states need a capital: "ill." is a word. */
const ABBREVIATION = `(${anyCase(oneOf(`
  al ala apr ariz assn aug bhd bldg blvd bros calif co colo conn corp cos ct dak dec esq est etc ext feb fla fri ga inc ind intl jan jr jul jun
  kan kans ky ltd mar md mich minn mo mon mont neb nev nov oct okla penn ph\\.d plc rd rt sep sept seq sq sr sys tel tenn thu thurs tue tues univ
  va vt wed wis wisc wyo`))}|[pP]p?t[ey][sS]?|${oneOf(
  ['Ark', 'Az', 'Del', 'Ill', 'La', 'Mass', 'Miss', 'Ore', 'Pa', 'Tex', 'Wash'].map((state) => state[0] + anyCase(state.slice(1))).join(' '),
)})\\.`;
/** Abbreviations before a number only. */
const NUMBERED = `${anyCase(oneOf('art ca fig figs no nos op pp prop'))}\\.`;
/**
 * After a single letter with a stop these begin a sentence: "plan B. The …". The first letter is a capital, the others of
 * either case.
 */
const SENTENCE_STARTER = oneOf(
  `A About According Additionally After An As At But Earlier He Her Here However If In It Last Many More M[rR]\\. M[sS]\\. Now Once One
  Other Our She Since So Some Such That The Their Then There They This We What When While Yet You`.replace(/\B[a-z]+/g, anyCase),
);

// Numbers
const NUMBER = `(${DIGIT}*([.:,\\u00ad\\u066b\\u066c]${DIGIT}+)+|${DIGIT}+)`;
const FRACTION = `(${DIGIT}{1,4}[- \\u00a0])?${DIGIT}{1,4}(\\\\?/|\\u2044)${DIGIT}{1,4}`;
const DATE = `${DIGIT}{1,2}[-/]${DIGIT}{1,2}[-/]${DIGIT}{2,4}`;
const GAP = '[- \\u00a0]';
const PHONE =
  `(\\([0-9]{2,3}\\)[ \\u00a0]?|(\\+\\+?)?([0-9]{2,4}${GAP})?[0-9]{2,4}${GAP})[0-9]{3,4}${GAP}?[0-9]{3,5}` +
  '|((\\+\\+?)?[0-9]{2,4}\\.)?[0-9]{2,4}\\.[0-9]{3,4}\\.[0-9]{3,5}';

// Addresses
const PATH = '/[^ \\t\\n\\f\\r"<>|()]+[^ \\t\\n\\f\\r"<>|.!?(){},-]';
const URL = `${anyCase('https?')}://[^ \\t\\n\\f\\r"<>|(){}]+[^ \\t\\n\\f\\r"<>|.!?(){},-]`;
const SITE = `${anyCase('www')}\\.([^ \\t\\n\\f\\r"<>|.!?(){},]+\\.)+[a-zA-Z]{2,4}(${PATH})?`;
/** The odd choice of characters in the host is the tokenizer's: small letters, no digits and no hyphen. */
const HOST_WITH_PATH = `([^ \\t\\n\\f\\r"\`'<>|!?(){}$,-_]+\\.)+${anyCase('(com|net|org|edu)')}(${PATH})?`;
const MAIL_PART = '[^ \\t\\n\\f\\r"<>|().\\u00a0{}]+';
const EMAIL = `(&lt;|<)?[a-zA-Z0-9][^ \\t\\n\\f\\r"<>|()\\u00a0{}]*@(${MAIL_PART}\\.)*${MAIL_PART}(&gt;|>)?`;
const FILE_NAME = `(${WORD_LETTER}|${DIGIT})+(\\.(${WORD_LETTER}|${DIGIT})+)*\\.${anyCase(oneOf(`
  bat bmp c cgi class cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl png ppt ps py sql tar txt wav x xml zip`))}`;

// Mark-up
const NAME = '[A-Za-z][A-Za-z0-9_:.-]*';
const ATTRIBUTE = ` +${NAME}( *= *("[^"]*"|'[^']*'))?`;
const TAG = `<([!?][A-Za-z-][^>\\n\\r]*|/?${NAME}|${NAME}(${ATTRIBUTE})* */?|/${NAME}) *>`;

const same = (text: string) => text;
const withoutSoftHyphens = (text: string) => text.replaceAll('\u00ad', '');
/** Tokens never hold a plain space. */
const bound = (text: string) => text.replace(/[ \t]/g, '\u00a0');
const straight = (text: string) => text.replace(/[\u0092\u2019]|&apos;/g, "'").replace(/[\u0091\u2018\u201b]/g, '`');
const brackets = (text: string) =>
  text.replace(/[()[\]{}]/g, (bracket) => `-${{ '(': 'LR', ')': 'RR', '[': 'LS', ']': 'RS', '{': 'LC', '}': 'RC' }[bracket]}B-`);
const roundBrackets = (text: string) => text.replaceAll('(', '-LRB-').replaceAll(')', '-RRB-');
const quotes = (text: string) =>
  text
    .replace(/[\u0093\u00ab\u201c]/g, '``')
    .replace(/[\u0094\u00bb\u201d]/g, "''")
    .replace(/[\u0091\u2018\u201b\u2039]/g, '`')
    .replace(/[\u0092\u2019\u203a]/g, "'");
const constant = (token: string) => () => token;

type Rest = Pick<LexerRule<PtbAction>, 'before'> & Pick<PtbAction, 'keep'>;
const rule = (pattern: string, token: PtbAction['token'] = same, { before, keep }: Rest = {}): LexerRule<PtbAction> => ({
  pattern,
  before,
  action: { token, keep },
});

/** In order of precedence. A character that no rule matches is dropped. */
export const PTB_RULES: readonly LexerRule<PtbAction>[] = [
  rule(`${SPACE}+|\\n|${anyCase('&nbsp;')}`, 'skip'),
  rule(TAG, bound),
  // Two words written as one
  rule(anyCase('cannot'), same, { keep: 3 }),
  rule(anyCase('gonna|gotta|lemme|gimme|wanna'), same, { keep: 3 }),
  rule(anyCase("'t(is|was)"), same, { keep: 2 }),
  rule(anyCase('whaddya')),
  // Words with an apostrophe
  rule(WORD, withoutSoftHyphens, { before: AUXILIARY }),
  rule('[A-Za-z\\u00ad]*[A-MO-Za-mo-z]\\u00ad*', withoutSoftHyphens, { before: NEGATION }),
  rule(NEGATION, straight),
  rule(AUXILIARY, straight, { before: '[^A-Za-z]' }),
  rule(`[\\u0092\\u2019]${AUXILIARY_LETTERS}`, straight),
  rule(`${APOSTROPHE}[nN]${APOSTROPHE}?|([lLdDjJ]|${anyCase('ol|somethin')})${APOSTROPHE}|${APOSTROPHE}${anyCase('(em|cause|till?)')}`),
  rule(`${anyCase('cap')}${APOSTROPHE}[nN]|[cC]${APOSTROPHE}${anyCase('est')}|${APOSTROPHE}[2-9]0[sS]`),
  rule(anyCase("c'mon|s'mores|nat'l|[eo]'er|ne'er|ev'ry|li'l")),
  rule(`${anyCase('y')}${APOSTROPHE}`, same, { before: `[${LETTER}]` }),
  rule(`[A-HJ-XZdlno]${LOOSE_APOSTROPHE}[${LETTER}]{2,}|[oO]${LOOSE_APOSTROPHE}[oO]`),
  rule(`[${LETTER}]+[aeiouyAEIOUY]${LOOSE_APOSTROPHE}[A-Zaeiou][${LETTER}]*`),
  // Words
  rule(WORD, withoutSoftHyphens),
  // Addresses
  rule(URL),
  rule(`${SITE}|${HOST_WITH_PATH}`),
  rule(EMAIL),
  rule('@[A-Za-z_][A-Za-z_0-9]*'),
  rule(`#${WORD_LETTER}+`),
  // Abbreviations, compounds, files
  rule(ABBREVIATION, same, { before: '[^][^]' }),
  rule(anyCase('(pro|anti)-')),
  rule(COMPOUND, withoutSoftHyphens),
  rule(COMPOUND_WITH_STOPS, withoutSoftHyphens),
  rule('[A-Z]+(([+&]|&amp;)[A-Z]+)+', (text) => text.replaceAll('&amp;', '&')),
  rule('[A-Za-z0-9]+(-[A-Za-z]+){0,2}(\\\\?/[A-Za-z0-9]+(-[A-Za-z]+){0,2}){1,2}'),
  rule(`${TITLE}|${ABBREVIATION}`),
  rule(`(${WORD}|${COMPOUND}|${COMPOUND_WITH_STOPS})\\.`, withoutSoftHyphens, { before: '[,;:\\u3001]' }),
  rule(NUMBERED, same, { before: `${SPACE_OR_END}?${DIGIT}` }),
  rule('[A-Za-z]', same, { before: `\\.${SPACE_OR_END}+(${SENTENCE_STARTER}|${TAG})${SPACE_OR_END}` }),
  rule(`[A-Za-z]\\.|${ACRONYM}\\.`),
  rule(FILE_NAME, same, { before: `(${SPACE_OR_END}|[.?!,])` }),
  // Numbers
  rule(DATE),
  rule(`[-+]?${NUMBER}`, withoutSoftHyphens),
  rule(FRACTION, bound),
  rule(PHONE, (text) => roundBrackets(bound(text))),
  rule(`${APOSTROPHE}[0-9]{2}`, same, { before: SPACE_OR_END }),
  rule('[A-Z]*\\$'),
  // Emoticons
  rule("[<>]?[:;=][-o*']?[()DPdpO\\\\{@|\\[\\]]", roundBrackets, { before: '[^A-Za-z0-9]' }),
  rule("[-\\^x=~<>']_[-\\^x=~<>']|\\([-\\^x=~<>'][-_.]?[-\\^x=~<>']\\)", roundBrackets),
  // A quotation mark before a word: "it'sa" holds no "'s".
  rule("'", constant('`'), { before: '[A-Za-z][^ \\t\\n\\r\\u00a0]' }),
  // Signs
  rule(anyCase('&(md|mdash|ndash);') + '|--{1,3}|[\\u0096\\u0097\\u2013-\\u2015]', constant('--')),
  rule('\\.\\.\\.+|(\\. ){2,}\\.|[\\u0085\\u2026]', constant('...')),
  rule(anyCase('&(ht|tl|ur|lr|qc|ql|qr|odq|cdq|#[0-9]+);')),
  rule(anyCase('&lt;'), constant('<')),
  rule(anyCase('&gt;'), constant('>')),
  rule(anyCase('&amp;'), constant('&')),
  rule('&quot;', constant("''")),
  rule('&apos;', constant("'")),
  rule(anyCase('&(quot|apos);')),
  rule('[()\\[\\]{}]', brackets),
  rule(anyCase('-[lr][rsc]b-')),
  rule(anyCase('c\\+\\+|[cf]#')),
  rule('\\\\\\*'),
  rule('[?!]+'),
  rule('[.,:;/\\\\%&=+<>|^$\'`~-]'),
  rule('"|\'\'', constant("''")),
  rule('@+|#+|\\*+|_+|<<|>>|------*'),
  rule('[\\u0080\\u00a4\\u20a0\\u20ac]', constant('$')),
  rule('\\u00a3', constant('#')),
  rule('\\u00a2', constant('cents')),
  rule('\\u00bc', constant('1/4')),
  rule('\\u00bd', constant('1/2')),
  rule('\\u00be', constant('3/4')),
  rule('\\u2153', constant('1/3')),
  rule('\\u2154', constant('2/3')),
  rule('\\u00ad', constant('-')),
  rule('[\\u00b2\\u00b3\\u00b9\\u2070\\u2074-\\u2079]+|[\\u2080-\\u2089]+'),
  // A pair of quotation marks is one token, and as such no punctuation to coco-caption.
  rule('[`\\u0091-\\u0094\\u00ab\\u00bb\\u2018-\\u201f\\u2039\\u203a]{1,2}', quotes),
  rule(`[${SYMBOLS}\\u2044]`),
];
