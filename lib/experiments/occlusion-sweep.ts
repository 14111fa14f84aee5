/**
 * Captions of several models for every picture of a data set at every level of occlusion (report 000, Part B), as a run that can be
 * killed and resumed picture by picture, and spread over machines.
 *
 * Batches are fixed by the data set and `imagesPerBatch` alone: a batch holds all levels of some neighbouring pictures, a shard has whole
 * batches, and a resumed run repeats the batch that was cut off. So the captions do not depend on how the work was divided, even
 * where a model's rounding depends on what shares a batch.
 *
 * As a job array (here of four jobs, then one that merges):
 *
 *     await sweepOcclusion({ …, folder, shard: `${process.env.SLURM_ARRAY_TASK_ID}/4` });
 *     mergeOcclusionSweep(folder);
 */
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Captioner, CaptionOptions } from '../captioners';
import { OCCLUSION_LEVELS, type CaptionDataset, type CaptionSourceRow } from '../datasets';
import { decodeImage, occlude, occludedCells, type OcclusionOptions, type RgbImage } from '../images';
import { inProject } from '../project';
import { SweepJournal, type SweepEntry } from './sweep-journal';
import { imagesDigest, mergeOcclusionSweep, parseShard, shardFile, SWEEP_TABLE } from './sweep-shards';

/** A model of a sweep. */
export interface SweepModel {
  /** The captioner, or what loads it; one that was loaded is disposed of again, and none is loaded that has nothing to do. */
  readonly captioner: Captioner | (() => Captioner | Promise<Captioner>);
  readonly options?: Omit<CaptionOptions, 'batchSize'>;
  /** Tells apart the weights of one training from those of another (a digest, a date): a run is not resumed with others. */
  readonly version?: string;
}

export interface SweepProgress {
  /** Name of the model at work. */
  readonly model: string;
  /** Captions since the last call; at the first what a former run had done. */
  readonly added: number;
  /** Captions in all, of those the shard has to make. */
  readonly done: number;
  readonly total: number;
}

export interface OcclusionSweepOptions {
  /** The pictures; usually a test split. The first caption of each is its original. */
  readonly dataset: CaptionDataset;
  /** By the name that the rows give as their source. */
  readonly models: Readonly<Record<string, SweepModel>>;
  /** Percent, whole numbers. Default {@link OCCLUSION_LEVELS}. */
  readonly levels?: readonly number[];
  /** How pictures are occluded; a picture's name is its file name. */
  readonly occlusion?: Omit<OcclusionOptions, 'name'>;
  /** Where the journal and captions.csv are kept, relative to the project's top folder. One process a shard. */
  readonly folder: string;
  /** '2/4': the second of four parts. Default everything. */
  readonly shard?: string;
  /** Pictures whose levels make one batch. Default 8. */
  readonly imagesPerBatch?: number;
  /** Begin anew when the folder holds a run with other settings, instead of refusing. Default false. */
  readonly restart?: boolean;
  readonly onProgress?: (progress: SweepProgress) => void;
  /** Ends the run after the batch in hand with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a run has written: a table, or a part of one for {@link mergeOcclusionSweep}. */
export interface SweepResult {
  /** captions.csv, or the shard's journal. */
  readonly file: string;
  /** All rows of the table; undefined for a shard. */
  readonly rows?: readonly CaptionSourceRow[];
}

/**
 * Makes the captions that are not there yet, then writes captions.csv (unless it is a shard).
 *
 * @throws Error when the folder holds a run with other settings, two pictures have one file name, or an option is wrong; ImageError
 *   naming a picture that cannot be read. What was done until then is kept.
 */
export async function sweepOcclusion(options: OcclusionSweepOptions): Promise<SweepResult> {
  const { restart, signal, onProgress } = options;
  const folder = inProject(options.folder);
  const { images, levels, models, imagesPerBatch, shard, occlusion } = checked(options);
  const journal = SweepJournal.open(join(folder, shardFile(shard)), {
    shard: `${shard.index}/${shard.count}`,
    images: images.length,
    digest: imagesDigest(images),
    models: models.map(([name]) => name),
    levels,
    occlusion,
    imagesPerBatch,
    ...Object.fromEntries(models.map(([name, { options: given, version }]) => [`model ${name}`, { ...given, version }])),
  }, restart);
  try {
    // The table of a former run is not that of this one.
    if (journal.size === 0) rmSync(join(folder, SWEEP_TABLE), { force: true });
    const batches = inBatches(images, imagesPerBatch).filter((_, i) => i % shard.count === shard.index - 1);
    const total = batches.flat().length * levels.length * models.length;
    let reported = 0;
    const report = (model: string) => {
      const done = journal.size * levels.length;
      onProgress?.({ model, added: done - reported, done, total });
      reported = done;
    };
    const prepare = (batch: readonly SweepImage[]) => Promise.all(batch.map((image) => atLevels(image, levels, occlusion)));
    for (const [name, model] of models) {
      report(name);
      const todo = batches.filter((batch) => batch.some(({ index }) => !journal.has(name, index)));
      await captionBatches(model, todo, prepare, signal, (batch, texts) => {
        const entries = batch.map(({ index, file, original }, i): SweepEntry =>
          ({ model: name, image: index, file, original, captions: texts.slice(i * levels.length, (i + 1) * levels.length) }));
        journal.append(entries.filter(({ image }) => !journal.has(name, image)));
        report(name);
      });
    }
  } finally {
    journal.close();
  }
  return shard.count === 1 ? mergeOcclusionSweep(folder) : { file: journal.file };
}

/** Number of captions that a whole sweep makes. */
export function sweepSize(options: Pick<OcclusionSweepOptions, 'dataset' | 'models' | 'levels'>): number {
  const { dataset, models, levels = OCCLUSION_LEVELS } = options;
  return dataset.length * Object.keys(models).length * levels.length;
}

interface SweepImage {
  readonly index: number;
  readonly path: string;
  readonly file: string;
  readonly original: string;
}

function inBatches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Captions batch after batch; the pictures of the next are decoded while one is with the model. */
async function captionBatches(
  model: SweepModel,
  batches: readonly (readonly SweepImage[])[],
  prepare: (batch: readonly SweepImage[]) => Promise<RgbImage[][]>,
  signal: AbortSignal | undefined,
  take: (batch: readonly SweepImage[], texts: readonly string[]) => void,
): Promise<void> {
  signal?.throwIfAborted();
  if (batches.length === 0) return;
  const loaded = typeof model.captioner === 'function';
  const captioner = typeof model.captioner === 'function' ? await model.captioner() : model.captioner;
  try {
    let ahead = prepare(batches[0]);
    for (const [i, batch] of batches.entries()) {
      const pictures = (await ahead).flat();
      if (i + 1 < batches.length) {
        ahead = prepare(batches[i + 1]);
        // Whatever is wrong with it is thrown when its turn comes, or never if there is no such turn.
        ahead.catch(() => {});
      }
      signal?.throwIfAborted();
      const captions = await captioner.caption(pictures, { ...model.options, batchSize: pictures.length });
      if (captions.length !== pictures.length) {
        throw new Error(`The captioner gave ${captions.length} captions for ${pictures.length} pictures.`);
      }
      take(batch, captions.map(({ text }) => text));
    }
  } finally {
    if (loaded) captioner.dispose();
  }
}

async function atLevels({ path, file }: SweepImage, levels: readonly number[], occlusion: OcclusionOptions): Promise<RgbImage[]> {
  const image = await decodeImage(path);
  return levels.map((level) => occlude(image, level, { ...occlusion, name: file }));
}

function checked(options: OcclusionSweepOptions) {
  const { dataset, levels = OCCLUSION_LEVELS, imagesPerBatch = 8, shard = '1/1' } = options;
  const models = Object.entries(options.models);
  if (models.length === 0 || dataset.length === 0) {
    const there = `${models.length} models and ${dataset.length} pictures of ${dataset.name}`;
    throw new RangeError(`sweep: there are ${there}; expected at least one of each.`);
  }
  const level = levels.find((value, i) => !Number.isInteger(value) || value < 0 || value > 100 || levels.indexOf(value) !== i);
  if (level !== undefined || levels.length === 0) {
    throw new RangeError(`sweep: the levels are ${levels.join(', ') || 'none'}; expected different whole numbers of percent, 0 to 100.`);
  }
  if (!Number.isInteger(imagesPerBatch) || imagesPerBatch < 1) {
    throw new RangeError(`sweep: imagesPerBatch is ${imagesPerBatch}; expected a whole number, 1 or more.`);
  }
  const images = dataset.records.map(({ image, captions }, index): SweepImage => {
    return { index, path: image, file: basename(image), original: captions[0] };
  });
  const seen = new Map<string, string>();
  for (const { file, path } of images) {
    const other = seen.get(file);
    if (other) throw new Error(`sweep: ${other} and ${path} have the same file name, by which the table tells pictures apart; rename one.`);
    seen.set(file, path);
  }
  const occlusion = { grid: 16, pattern: 'random', fill: 'black', seed: 42, nested: true, ...options.occlusion } as const;
  // Tells what is wrong with it before a model is loaded.
  occludedCells(100, occlusion);
  return { images, levels: [...levels], models, imagesPerBatch, shard: parseShard(shard), occlusion };
}
