/** Captioners side by side on the same pictures: what each says, how well, how varied, how fast, and what it is made of. */
import { existsSync } from 'node:fs';
import { captionerSize, type Caption, type CaptionOptions, type Captioner } from '../captioners';
import type { CaptionDataset } from '../datasets';
import {
  captionDiversity, CaptionStatistics, PairedBootstrap, scoreWithClip, type CaptionDiversity, type CaptionScores, type Difference,
} from '../metrics';
import type { ClipEmbedder, Embeddings } from '../models';
import { readHistory } from '../training';

export interface ComparedCaptioner {
  name: string;
  /** Loads it; it is disposed when it has been measured. */
  load: () => Captioner;
  /** `history.jsonl` of its training; none of one that is used as published. */
  history?: readonly string[];
  /** What it is asked for, greedy and with beams. */
  options?: CaptionOptions;
}

export interface MeasuredDecoding {
  captions: string[];
  statistics: CaptionStatistics;
  scores: CaptionScores & { CLIPScore: number; RefCLIPScore: number };
  diversity: CaptionDiversity;
  /** From the picture's file to the caption. */
  captionsPerSecond: number;
}

export interface MeasuredCaptioner {
  name: string;
  parameters: number;
  /** Seconds of all epochs, validation included; undefined for one that was not trained here. */
  trainingSeconds?: number;
  greedy: MeasuredDecoding;
  beam: MeasuredDecoding;
}

export interface CompareOptions {
  numBeams: number;
  /** For CLIPScore. */
  clip: ClipEmbedder;
  /** Pictures a call of a captioner: between calls the signal is heeded. Default 20. */
  batchSize?: number;
  signal?: AbortSignal;
  /** Captions made since the last call. */
  onProgress?: (captioner: string, captions: number) => void;
}

/**
 * Measures captioners, one loaded at a time, on every picture of a part of a dataset.
 *
 * @param test the pictures
 * @param training captions that tell what is novel
 */
export async function compareCaptioners(
  captioners: readonly ComparedCaptioner[], test: CaptionDataset, training: readonly string[], options: CompareOptions,
): Promise<MeasuredCaptioner[]> {
  const { clip, numBeams, signal } = options, imageEmbeddings = await clip.images(test.images(), { signal });
  const measured: MeasuredCaptioner[] = [];
  for (const { name, load, history, options: asked } of captioners) {
    const captioner = load();
    try {
      const measure = async (decoding: CaptionOptions): Promise<MeasuredDecoding> => {
        const onCaptions = (count: number) => options.onProgress?.(name, count);
        const { captions, seconds } = await captionAll(captioner, test, { ...asked, ...decoding }, onCaptions, options);
        return { ...await scoreAll(captions, test, training, clip, imageEmbeddings), captionsPerSecond: captions.length / seconds };
      };
      const { parameters } = captionerSize(captioner), greedy = await measure({ numBeams: 1 }), beam = await measure({ numBeams });
      measured.push({ name, parameters, trainingSeconds: history && trainingSeconds(history), greedy, beam });
    } finally {
      captioner.dispose();
    }
  }
  return measured;
}

async function captionAll(
  captioner: Captioner, test: CaptionDataset, decoding: CaptionOptions, onCaptions: (count: number) => void,
  { batchSize = 20, signal }: CompareOptions,
): Promise<{ captions: string[]; seconds: number }> {
  const captions: Caption[] = [], images = test.images(), started = performance.now();
  for (let from = 0; from < images.length; from += batchSize) {
    signal?.throwIfAborted();
    captions.push(...await captioner.caption(images.slice(from, from + batchSize), { batchSize, ...decoding }));
    onCaptions(Math.min(batchSize, images.length - from));
  }
  return { captions: captions.map(({ text }) => text), seconds: (performance.now() - started) / 1000 };
}

async function scoreAll(
  captions: string[], test: CaptionDataset, training: readonly string[], clip: ClipEmbedder, imageEmbeddings: Embeddings,
): Promise<Omit<MeasuredDecoding, 'captionsPerSecond'>> {
  const { records } = test, references = records.map((record) => record.captions);
  const byId = <T>(values: readonly T[]): Record<string, T> => Object.fromEntries(records.map(({ id }, i) => [id, values[i]]));
  const statistics = new CaptionStatistics(byId(references), byId(captions));
  const { CLIPScore, RefCLIPScore } = await scoreWithClip(clip, test.images(), captions, { imageEmbeddings, references });
  const scores = { ...statistics.corpus(), CLIPScore, RefCLIPScore: RefCLIPScore! };
  return { captions, statistics, scores, diversity: captionDiversity(captions, { training }) };
}

/** Sum of the epochs' seconds; undefined where a file is missing. */
function trainingSeconds(files: readonly string[]): number | undefined {
  if (!files.every((file) => existsSync(file))) return undefined;
  return files.flatMap((file) => readHistory(file)).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** A captioner and the next one in the order of their beam captions' CIDEr. */
export interface Neighbours {
  better: string;
  worse: string;
  CIDEr: Difference;
  /** Whether the interval leaves out 0. */
  clear: boolean;
}

/** Captioners from the best by CIDEr to the worst, and by paired bootstrap over the pictures whether each is better than the next. */
export function rankCaptioners(measured: readonly MeasuredCaptioner[]): { ranked: MeasuredCaptioner[]; neighbours: Neighbours[] } {
  const ranked = [...measured].sort((a, b) => b.beam.scores.CIDEr - a.beam.scores.CIDEr);
  const bootstrap = new PairedBootstrap(Object.fromEntries(ranked.map(({ name, beam }) => [name, beam.statistics])));
  const neighbours = ranked.slice(1).map((worse, i): Neighbours => {
    const CIDEr = bootstrap.difference(ranked[i].name, worse.name, 'CIDEr');
    return { better: ranked[i].name, worse: worse.name, CIDEr, clear: CIDEr.low > 0 };
  });
  return { ranked, neighbours };
}
