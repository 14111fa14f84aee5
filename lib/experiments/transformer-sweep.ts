/** Report 004's table of encoders, layers and heads: captioners trained one after another, each in a folder of its own. */
import { createHash } from 'node:crypto';
import * as path from 'node:path';
import type { CaptionDataset } from '../datasets';
import { Random } from '../engine';
import type { ClipScorer } from '../metrics';
import { encodeDataset, type TrainOptions } from '../training';
import { buildDeitTransformer, withChanges, type TransformerCaptionerConfig, type TransformerChanges } from './deit-transformer';
import { loadEncoder } from './encoder';
import { captionRecords, score, trainCaptioner } from './feature-captioning';

/** What a captioner of the sweep is, and what its greedy captions of the validation pictures are worth. */
export interface TransformerSweepRow {
  encoder: string;
  numLayers: number;
  numHeads: number;
  batchSize: number;
  precision: string;
  /** Of the decoder. */
  parameters: number;
  valLoss: number;
  CIDEr: number;
  CLIPScore: number;
  /** Of its training, validation counted. */
  seconds: number;
}

export interface TransformerSweepOptions extends Pick<TrainOptions<never>, 'signal' | 'onStep'> {
  changes: readonly TransformerChanges[];
  /** Scores captions of the validation pictures. */
  clip: ClipScorer;
  /** Relative to the project's top folder; every captioner has a folder in it, named for all that it depends on. */
  folder: string;
  /** Of the encoders' features; see `encodeDataset`. */
  features?: string;
  /** After each captioner, one that was there already included. */
  onRow?: (row: TransformerSweepRow) => void;
}

/**
 * A row for each of the changes to `config`, in order. Captioners that were trained before are loaded; what a signal cuts off goes on
 * with the next call.
 */
export async function transformerSweep(config: TransformerCaptionerConfig, dataset: CaptionDataset,
  { changes, onRow, ...options }: TransformerSweepOptions): Promise<TransformerSweepRow[]> {
  const rows: TransformerSweepRow[] = [];
  for (const change of changes) {
    const row = options.signal?.aborted ? undefined : await trainRow(withChanges(config, change), dataset, options);
    if (!row) break;
    rows.push(row);
    onRow?.(row);
  }
  return rows;
}

/** Undefined where the signal came first. */
async function trainRow(config: TransformerCaptionerConfig, dataset: CaptionDataset,
  { clip, folder, features: cache, signal, onStep }: Omit<TransformerSweepOptions, 'changes'>): Promise<TransformerSweepRow | undefined> {
  const encoder = loadEncoder(config), random = new Random(config.training.seed);
  const captioner = buildDeitTransformer(config, dataset, encoder, random);
  try {
    const features = await encodeDataset(encoder, dataset, { signal, folder: cache });
    try {
      const { history, interrupted, bestEpoch } = await trainCaptioner({
        captioner, dataset, features, settings: config.training, random, signal, onStep,
        folder: path.join(folder, folderOf(config, encoder.fingerprint, dataset)),
      });
      if (interrupted) return undefined;
      const validation = dataset.split('val'), captions = captionRecords(captioner, validation, features);
      const { CLIPScore } = await clip(captions.map(({ text }) => text));
      const { numLayers, numHeads } = config.decoder, { batchSize, precision = 'float32' } = config.training;
      return {
        encoder: config.encoder.checkpoint, numLayers, numHeads, batchSize, precision, parameters: captioner.decoder.parameterCount(),
        valLoss: history[bestEpoch - 1].metrics.valLoss, CIDEr: score(validation, captions).corpus.CIDEr, CLIPScore,
        seconds: history.reduce((sum, { seconds }) => sum + seconds, 0),
      };
    } finally { features.close(); }
  } finally { captioner.dispose(); }
}

function folderOf(config: TransformerCaptionerConfig, fingerprint: string, { name, records }: CaptionDataset): string {
  const { encoder, decoder, minCount, training } = config;
  const settings = JSON.stringify([decoder, minCount, training, fingerprint, name, records.map(({ id }) => id)]);
  const hash = createHash('sha256').update(settings).digest('hex').slice(0, 10);
  return `${encoder.checkpoint}-${decoder.numLayers}-layers-${decoder.numHeads}-heads-${hash}`;
}
