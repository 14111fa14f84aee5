import { loadCaptioner } from '../captioners';
import { checkpointVersion } from '../experiments/checkpoint-version';
import { captionOccluded, occlusionDataset, occlusionStudy } from '../experiments/occlusion';
import type { SweepModel } from '../experiments/occlusion-sweep';
import { profile } from '../experiments/profile';
import { mergeOcclusionSweep } from '../experiments/sweep-shards';
import type { OcclusionFill, OcclusionPattern } from '../images';
import { interruptible } from '../notebook/interruptible';
import { progress, type Progress } from '../notebook/progress';
import { resolveCheckpoint } from '../weights';

export interface OccludeCommandOptions {
  /** `name=folder` of each captioner. */
  model?: readonly string[];
  folder: string;
  merge?: boolean;
  shard?: string;
  limit?: number;
  levels?: readonly number[];
  grid?: number;
  pattern?: OcclusionPattern;
  fill?: OcclusionFill;
  seed?: number;
  batch?: number;
  numBeams?: number;
  restart?: boolean;
}

/**
 * Captions occluded pictures with saved captioners, or merges what shards of such a run have written. Pictures and settings are those of
 * the profile (PROFILE) where no option says otherwise.
 *
 * @returns what the command prints on standard output: the file written
 * @throws Error that says what to do
 */
export async function occlude(options: OccludeCommandOptions): Promise<string> {
  const { folder, merge, shard, limit, restart, numBeams } = options;
  if (merge) return `${mergeOcclusionSweep(folder).file}\n`;

  const study = occlusionStudy[profile()];
  const given = { grid: options.grid, pattern: options.pattern, fill: options.fill, seed: options.seed };
  const config = {
    ...study,
    levels: options.levels ?? study.levels,
    imagesPerBatch: options.batch ?? study.imagesPerBatch,
    occlusion: { ...study.occlusion, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) },
  };
  const pictures = occlusionDataset(config);
  const dataset = limit === undefined ? pictures : pictures.take(limit);
  const models: Record<string, SweepModel> = {};
  for (const [name, path] of parseModels(options.model ?? [])) {
    const version = await checkpointVersion(path);
    models[name] = { captioner: () => loadCaptioner(path), version, options: numBeams ? { numBeams } : {} };
  }

  let bar: Progress | undefined;
  const { file } = await interruptible((signal) => captionOccluded(config, {
    dataset, models, folder, shard, restart, signal,
    onProgress({ model, added, total }) {
      bar ??= progress(total, shard ? `Shard ${shard}` : '', { unit: 'captions' });
      bar.step({ model }, added);
    },
  })).finally(() => bar?.done());
  return `${file}\n`;
}

/** Reads `name=folder` arguments; in place of a folder a name that `load` understands will do. */
function parseModels(args: readonly string[]): [name: string, folder: string][] {
  const models = args.map((arg): [string, string] => {
    const [, name, folder] = /^([^=]+)=(.+)$/.exec(arg) ?? [];
    if (!name) throw new Error(`--model ${JSON.stringify(arg)}: expected name=folder, such as Custom=runs/captioner.`);
    return [name, resolveCheckpoint(folder)];
  });
  const names = models.map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new Error(`--model: two captioners are called ${twice}; rows tell them apart by name.`);
  if (models.length === 0) throw new Error('No captioner to run: give --model name=folder, once for each.');
  return models;
}
