/** Scores that a notebook gives in the cells of its template tagged `score`. */
import { textOf, type Notebook, type Output } from '../notebooks/notebook-file';

const TAG = 'score', NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`;
/** `name: value`, also with quotes, also as a part of `{ name: value, … }`. */
const LINE = new RegExp(String.raw`^\s*["']?([^"':=]{1,60}?)["']?\s*[:=]\s*(${NUMBER})\s*(%?)\s*$`);
const MOST = 100;

const textsOf = ({ text, data }: Output): string => textOf(text ?? data?.['text/plain'] as string | undefined);

/**
 * Numbers by name, from the text that tagged cells print or show: lines `name: 0.5` or `name: 50 %`, JSON, or an object as the last value.
 * Of a name that comes twice the last counts.
 */
export function scoresOf({ cells }: Notebook): Record<string, number> {
  const scores = new Map<string, number>();
  for (const { metadata, outputs } of cells) {
    if (!(metadata.tags as string[] | undefined)?.includes(TAG)) continue;
    for (const part of (outputs ?? []).flatMap((output) => textsOf(output).slice(0, 100_000).split(/[\n,{}]/))) {
      const [, name, number, percent] = LINE.exec(part) ?? [];
      if (name === undefined || (scores.size >= MOST && !scores.has(name.trim()))) continue;
      scores.set(name.trim(), Number(number) / (percent ? 100 : 1));
    }
  }
  return Object.fromEntries(scores);
}
