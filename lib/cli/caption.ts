import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadCaptioner, type Captioner, type CaptionOptions } from '../captioners';
import { decodeImage, ImageError, type RgbImage } from '../images';
import { interruptible } from '../notebook/interruptible';
import type { Progress } from '../notebook/progress';
import { printable } from './printable';
import { terminalProgress } from './terminal-progress';

export interface CaptionCommandOptions {
  model: string;
  numBeams?: number;
  maxNewTokens?: number;
  lengthPenalty?: number;
  batch?: number;
  json?: boolean;
}

/** What is printed with --json, one for each picture. */
type Row = { image: string; caption: string; logProbability: number; score: number } | { image: string; error: string };

const PICTURE = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

/**
 * Captions pictures. One that cannot be read does not stop the others: it is named on standard error, and `failed` counts it.
 *
 * @returns what the command prints on standard output
 * @throws Error when there is no such captioner or no picture at all
 */
export async function caption(places: readonly string[], options: CaptionCommandOptions): Promise<{ text: string; failed: number }> {
  const { model, json, batch = 16, numBeams, maxNewTokens, lengthPenalty } = options;
  const files = places.flatMap(picturesOf);
  const given = Object.fromEntries(Object.entries({ numBeams, maxNewTokens, lengthPenalty }).filter(([, value]) => value !== undefined));
  const captioner = loadCaptioner(model);
  const bar = terminalProgress(files.length, 'Captioning', { unit: 'pictures' });
  const rows: Row[] = [];
  try {
    await interruptible(async (signal) => {
      for (let from = 0; from < files.length; from += batch) {
        signal.throwIfAborted();
        rows.push(...await captionBatch(captioner, files.slice(from, from + batch), given, bar));
      }
    });
  } finally {
    bar.done();
    captioner.dispose();
  }
  const errors = rows.flatMap((row) => ('error' in row ? [row.error] : []));
  for (const error of errors) process.stderr.write(`captioning: ${printable(error)}\n`);
  const lines = rows.map((row) => ('caption' in row ? `${printable(row.image)}\t${printable(row.caption)}\n` : ''));
  return { text: json ? `${JSON.stringify(rows)}\n` : lines.join(''), failed: errors.length };
}

async function captionBatch(captioner: Captioner, files: readonly string[], options: CaptionOptions, bar: Progress): Promise<Row[]> {
  const decoded = await Promise.all(files.map(async (file) => {
    try { return await decodeImage(file); } catch (error) {
      if (error instanceof ImageError) return error;
      throw error;
    }
  }));
  const pictures = decoded.filter((one): one is RgbImage => !(one instanceof Error));
  const captions = pictures.length > 0 ? await captioner.caption(pictures, { ...options, batchSize: pictures.length }) : [];
  bar.step(undefined, files.length);
  return decoded.map((one, i): Row => {
    if (one instanceof Error) return { image: files[i], error: one.message };
    const { text, logProbability, score } = captions[pictures.indexOf(one)];
    return { image: files[i], caption: text, logProbability, score };
  });
}

/** A folder stands for the pictures in it, in the order of their names. */
function picturesOf(place: string): string[] {
  if (!statSync(place, { throwIfNoEntry: false })?.isDirectory()) return [place];
  const entries = readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isFile() && PICTURE.test(entry.name));
  const files = entries.map(({ name }) => name).sort();
  if (files.length === 0) throw new Error(`${place}: no picture is in this folder; expected files such as .jpg or .png.`);
  return files.map((name) => join(place, name));
}
