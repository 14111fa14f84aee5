/** What a file's form must be, as far as a program can say it without rewriting the file. */

export interface Finding { line: number; message: string }

export const MAX_COLUMNS = 140;

const CODE = /\.(ts|mjs|cjs)$/;

/** Findings in one file but for its long lines, which {@link longLines} tells. */
export function findings(file: string, text: string): Finding[] {
  const found: Finding[] = [], markdown = file.endsWith('.md');
  const at = (line: number, message: string): void => { found.push({ line, message }); };
  if (text === '') return found;
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    if (line.endsWith('\r')) at(i + 1, 'ends with CR LF: line ends are LF');
    else if (/[ \t]$/.test(line) && !(markdown && /\S {2}$/.test(line))) at(i + 1, 'ends with a space'); // Markdown breaks a line by two
    if (/^\s*\t/.test(line)) at(i + 1, 'is indented by a tab: two spaces a level');
  });
  if (lines.at(-1) !== '') at(lines.length, 'is the last and has no line end');
  else if (lines.at(-2) === '') at(lines.length - 1, 'is empty, and the last');
  if (CODE.test(file)) for (const line of needlessDoubleQuotes(text)) at(line, 'holds a text in double quotes that single ones would do for');
  return found.sort((a, b) => a.line - b.line);
}

/** Numbers of the lines of code beyond {@link MAX_COLUMNS} characters. */
export function longLines(file: string, text: string): number[] {
  if (!CODE.test(file)) return [];
  return text.split('\n').flatMap((line, i) => ([...line].length > MAX_COLUMNS ? [i + 1] : []));
}

/** A slash after one of these begins a regular expression; after anything else it divides. */
const BEFORE_PATTERN = /(^|[(,=:[!&|?{};+\-*%<>~^\n]|\b(return|typeof|case|in|of|await|yield|void|do|else))\s*$/;

/** Lines where a text in double quotes begins that holds no single quote. Comments, templates and regular expressions are passed over. */
function needlessDoubleQuotes(text: string): number[] {
  const lines: number[] = [], braces: boolean[] = []; // whether a closing brace leads back into a template
  let i = 0, line = 1;
  const skipTo = (end: number): void => {
    for (; i < end; i++) if (text[i] === '\n') line++;
  };
  /** Behind the closing quote; a text that does not end, ends with its line. */
  const endOf = (quote: string, from: number): number => {
    let at = from;
    while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1;
    return Math.min(at + 1, text.length);
  };
  /** Behind a template's closing backtick, or behind the `${` of its next hole. */
  const template = (): void => {
    let at = i;
    while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) at += text[at] === '\\' ? 2 : 1;
    if (text[at] === '$') braces.push(true);
    skipTo(Math.min(at + (text[at] === '$' ? 2 : 1), text.length));
  };
  while (i < text.length) {
    const here = text[i];
    if (text.startsWith('//', i)) skipTo((text.indexOf('\n', i) + 1 || text.length + 1) - 1);
    else if (text.startsWith('/*', i)) skipTo((text.indexOf('*/', i + 2) + 1 || text.length) + 1);
    else if (here === '/' && BEFORE_PATTERN.test(text.slice(Math.max(0, i - 40), i))) skipTo(endOfPattern(text, i + 1));
    else if (here === '"' || here === '\'') {
      const end = endOf(here, i + 1);
      if (here === '"' && !text.slice(i, end).includes('\'')) lines.push(line);
      skipTo(end);
    } else {
      skipTo(i + 1);
      if (here === '`') template();
      else if (here === '{') braces.push(false);
      else if (here === '}' && braces.pop()) template();
    }
  }
  return lines;
}

/** Behind the slash that ends a regular expression, past classes such as [/]. */
function endOfPattern(text: string, from: number): number {
  let inClass = false, at = from;
  for (; at < text.length && text[at] !== '\n'; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '[') inClass = true;
    else if (text[at] === ']') inClass = false;
    else if (text[at] === '/' && !inClass) return at + 1;
  }
  return at;
}
