/** Report 004's table of beams: what wider beams are worth, how long they take, and how much memory. */
import type { Caption, FeatureCaptioner } from '../captioners';
import { CaptionDataset } from '../datasets';
import { withPeakBytes, yieldToEventLoop } from '../engine';
import type { ClipScorer } from '../metrics';
import type { PictureFeatures } from '../training';
import { captionRecords, score } from './feature-captioning';

export interface BeamRow {
  /** 1 is greedy search. */
  beams: number;
  CIDEr: number;
  CLIPScore: number;
  RefCLIPScore?: number;
  /** Time a picture, encoder and scores left out. */
  seconds: number;
  /** Of the processor, all cores together: what other work on the machine disturbs less. */
  processorSeconds: number;
  /** Tensors of one search, of up to `batchSize` pictures, at most: keys and values of every beam, above all. */
  peakBytes: number;
  /** Mean number of words. */
  words: number;
  captions: Caption[];
}

export interface BeamTableOptions {
  sizes: readonly number[];
  /** Pictures that go through the search together. */
  batchSize: number;
  /** Scores captions of the dataset's pictures. */
  clip: ClipScorer;
  signal?: AbortSignal;
  /** After each batch of each size. */
  onProgress?: (beams: number, pictures: number) => void;
}

/** Captions the dataset with each size of beam. @throws the signal's reason when it is aborted */
export async function beamTable(captioner: Pick<FeatureCaptioner, 'captionFeatures'>, dataset: CaptionDataset, features: PictureFeatures,
  { sizes, batchSize, clip, signal, onProgress }: BeamTableOptions): Promise<BeamRow[]> {
  const rows: BeamRow[] = [];
  for (const beams of sizes) {
    const captions: Caption[] = [];
    let milliseconds = 0, microseconds = 0, peakBytes = 0;
    for (let from = 0; from < dataset.length; from += batchSize) {
      signal?.throwIfAborted();
      const part = new CaptionDataset(dataset.name, dataset.records.slice(from, from + batchSize));
      const started = performance.now(), before = process.cpuUsage();
      const found = await withPeakBytes(() => captionRecords(captioner, part, features, { numBeams: beams, batchSize }));
      const { user, system } = process.cpuUsage(before);
      milliseconds += performance.now() - started;
      microseconds += user + system;
      peakBytes = Math.max(peakBytes, found.peakBytes);
      captions.push(...found.value);
      onProgress?.(beams, part.length);
      await yieldToEventLoop();
    }
    const texts = captions.map(({ text }) => text), { CLIPScore, RefCLIPScore } = await clip(texts);
    const words = texts.reduce((sum, text) => sum + text.split(/\s+/).filter(Boolean).length, 0) / texts.length;
    const { CIDEr } = score(dataset, captions).corpus;
    const [seconds, processorSeconds] = [milliseconds / 1e3, microseconds / 1e6].map((time) => time / dataset.length);
    rows.push({ beams, CIDEr, CLIPScore, RefCLIPScore, seconds, processorSeconds, peakBytes, words, captions });
  }
  return rows;
}
