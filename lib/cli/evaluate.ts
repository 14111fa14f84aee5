import type { CaptionScores } from '../metrics/caption-statistics';
import { CaptionEvaluation, scoreCaptions } from '../metrics/score-captions';
import { readCocoCaptions } from '../metrics/coco-caption-files';
import { printable } from './printable';

export interface EvaluateOptions {
  references: string;
  candidates: string;
  json?: boolean;
  perImage?: boolean;
  wordnet?: string;
  wordnetExceptions?: string;
}

/**
 * Score a COCO results file.
 * @returns what the command prints on standard output; warnings go to standard error
 * @throws CaptionFileError naming file and place; Error when a WordNet folder lacks a file
 */
export function evaluate(options: EvaluateOptions): string {
  const { references, candidates } = readCocoCaptions(options.references, options.candidates);
  const scores = scoreCaptions(references, candidates, {
    wordnet: { directory: options.wordnet, exceptions: options.wordnetExceptions },
    onWarning: (warning) => process.stderr.write(`captioning: ${warning}\n`),
  });
  if (options.json) return `${JSON.stringify(scores)}\n`;
  return options.perImage ? `${imageTable(scores)}\n${corpusTable(scores)}` : corpusTable(scores);
}

const DIGITS = 4;

function corpusTable({ corpus, images }: CaptionEvaluation): string {
  const count = Object.keys(images).length;
  const notes: Partial<Record<keyof CaptionScores, string>> = { METEOR: ' (NLTK)', CIDEr: ' (coco-caption)' };
  const names = Object.keys(corpus) as (keyof CaptionScores)[];
  const rows = names.map((name) => `${name.padEnd(8)} ${corpus[name].toFixed(DIGITS)}${notes[name] ?? ''}\n`);
  return `${count} image${count === 1 ? '' : 's'}\n${rows.join('')}`;
}

function imageTable({ images, corpus }: CaptionEvaluation): string {
  const names = Object.keys(corpus) as (keyof CaptionScores)[];
  const ids = Object.keys(images);
  const width = Math.max('image'.length, ...ids.map((id) => printable(id).length));
  const line = (id: string, cells: string[]) => `${id.padEnd(width)} ${cells.map((cell) => cell.padStart(8)).join('')}\n`;
  return line('image', names) + ids.map((id) => line(printable(id), names.map((name) => images[id][name].toFixed(DIGITS)))).join('');
}
