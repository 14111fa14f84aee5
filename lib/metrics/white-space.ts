/** What Python's `str.split()` and `str.rstrip()` take for white space (`str.isspace`), for the inside of a character class. */
const PYTHON_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const ONE = new RegExp(`[${PYTHON_SPACE}]`);
const RUN = new RegExp(`[${PYTHON_SPACE}]+`);
const AT_END = new RegExp(`[${PYTHON_SPACE}]+$`);

/**
 * The words of a tokenized caption as the reference BLEU, CIDEr and METEOR see them: these join the tokens by spaces and split
 * again on any white space, so a token such as `1\u00a01/2` becomes two words and an empty token none.
 */
export function wordsOf(tokens: readonly string[]): readonly string[] {
  if (!tokens.some((token) => token === '' || ONE.test(token))) return tokens;
  return tokens.flatMap((token) => token.split(RUN)).filter((word) => word !== '');
}

/** Python's `str.rstrip()`. */
export function stripEnd(text: string): string {
  return text.replace(AT_END, '');
}
