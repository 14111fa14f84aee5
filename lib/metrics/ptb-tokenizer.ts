import { LongestMatchLexer } from './longest-match-lexer';
import { PTB_RULES, PtbAction } from './ptb-rules';
import { stripEnd } from './white-space';

/** What coco-caption's `ptbtokenizer.py` leaves out. Brackets are in its list in capitals, and therefore stay. */
const PUNCTUATION = new Set([
  '', "''", "'", '``', '`', '-LRB-', '-RRB-', '-LCB-', '-RCB-', '.', '?', '!', ',', ':', '-', '--', '...', ';',
]);

/** Words of small letters without anything that a rule needs to look at: most of a caption. */
const PLAIN_WORD = /[a-z]+(?= )/y;
const SPLIT_WORDS = new Set(['cannot', 'gonna', 'gotta', 'lemme', 'gimme', 'wanna']);

let lexer: LongestMatchLexer<PtbAction> | undefined;

/**
 * Tokens of one caption as coco-caption's PTBTokenizer makes them (Stanford PTBTokenizer 3.4.1 with `-preserveLines
 * -lowerCase`, then 17 punctuation tokens left out), with one difference. That tool reads one file with a caption a line, and
 * a caption is not safe from the others there: `\r`, `\v`, `\f`, U+2028 and U+2029 split it, and every caption after it goes
 * to the wrong image; "plan A." loses its stop when the next caption begins with "The". Here these characters are spaces, and
 * a caption is read as a line by itself.
 *
 * A token may hold U+00A0 (`1 1/2`, `(555) 123-4567` are single tokens). The result may be empty.
 */
export function ptbTokenize(caption: string): string[] {
  const tokens = ptbTokens(caption);
  // coco-caption strips the line, and with it a U+00A0 at the end of the last token.
  const last = tokens.length - 1;
  if (last >= 0) tokens[last] = stripEnd(tokens[last]);
  return tokens.filter((token) => !PUNCTUATION.has(token));
}

function ptbTokens(caption: string): string[] {
  lexer ??= new LongestMatchLexer(PTB_RULES);
  const text = `${caption.replace(/[\n\r\v\f\u2028\u2029]/g, ' ')}\n`;
  const tokens: string[] = [];
  for (let at = 0; at < text.length; ) {
    PLAIN_WORD.lastIndex = at;
    const plain = PLAIN_WORD.exec(text);
    if (plain && !SPLIT_WORDS.has(plain[0])) {
      tokens.push(plain[0]);
      at += plain[0].length + 1;
      continue;
    }
    const match = lexer.match(text, at);
    if (!match) {
      at++;
      continue;
    }
    const { token, keep } = match.action;
    const end = keep === undefined ? match.end : at + keep;
    if (token !== 'skip') tokens.push(token(text.slice(at, end)).toLowerCase());
    at = end;
  }
  return tokens;
}
