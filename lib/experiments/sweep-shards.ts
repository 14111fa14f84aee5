/** Parts of a sweep, and the table made of all of them once nothing is missing and nothing is there twice. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeCaptionSources, type CaptionSourceRow } from '../datasets';
import { inProject } from '../project';
import { settingsDifference } from '../settings-difference';
import { entryKey, readSweepJournal, type SweepEntry, type SweepRecord } from './sweep-journal';

/** One part of so many, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Reads '2/4'. */
export function parseShard(text: string): Shard {
  const [index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text)?.slice(1).map(Number) ?? [];
  if (index >= 1 && index <= count) return { index, count };
  throw new RangeError(`sweep: the shard is ${JSON.stringify(text)}; expected i/n with i from 1 to n, such as 2/4.`);
}

const SHARD_FILE = /^shard-(\d+)-of-(\d+)\.jsonl$/;

/** Name of a shard's journal. */
export const shardFile = ({ index, count }: Shard): string => `shard-${index}-of-${count}.jsonl`;

/** Name of the table. */
export const SWEEP_TABLE = 'captions.csv';

/** Stands for the pictures of a sweep: their names and original captions, in order. */
export function imagesDigest(images: readonly Pick<SweepEntry, 'file' | 'original'>[]): string {
  return createHash('sha256').update(JSON.stringify(images.map(({ file, original }) => [file, original]))).digest('hex').slice(0, 16);
}

/**
 * Writes captions.csv from the journals of a folder: rows by picture in the order of the data set, then by model, then by level, so
 * that the bytes do not depend on how the work was divided.
 *
 * @param place the folder, relative to the project's top folder
 * @throws Error when a shard or a picture is missing or there twice, or the shards were started with different settings.
 */
export function mergeOcclusionSweep(place: string): { file: string; rows: readonly CaptionSourceRow[] } {
  const folder = inProject(place);
  const records = readShards(folder);
  const { images, models, levels, digest } = records[0].settings;
  const found = new Map<string, SweepEntry>();
  const origin = new Map<string, string>();
  for (const { file, entries } of records) {
    for (const entry of entries) {
      const key = entryKey(entry);
      if (found.has(key)) {
        throw new Error(`${entry.file} has captions of ${entry.model} both in ${origin.get(key)} and in ${file}: delete one of the two.`);
      }
      found.set(key, entry);
      origin.set(key, file);
    }
  }
  const keys = Array.from({ length: images }, (_, image) => models.map((model) => ({ model, image })));
  const missing = keys.flat().filter((key) => !found.has(entryKey(key)));
  if (missing.length > 0) {
    const [{ model, image }] = missing;
    const count = `${missing.length} of ${images * models.length} are missing, the first is picture ${image} of the data set with ${model}`;
    throw new Error(`${folder}: the sweep is not finished: ${count}. Run its shards again.`);
  }
  const pictures = keys.map((key) => key.map((one) => found.get(entryKey(one))!));
  const same = (a: SweepEntry, b: SweepEntry) => a.file === b.file && a.original === b.original;
  const oneName = pictures.every(([first, ...rest]) => rest.every((entry) => same(entry, first)));
  if (!oneName || imagesDigest(pictures.map(([first]) => first)) !== digest) {
    throw new Error(`${folder}: the journals do not hold the pictures that their first lines speak of. Delete them to start over.`);
  }
  const rows = pictures.flat().flatMap(({ model, file, original, captions }) => captions.map((caption, i): CaptionSourceRow =>
    ({ originalCaption: original, generatedCaption: caption, occlusionLevel: levels[i], sourceModel: model, imageFilename: file })));
  const file = join(folder, SWEEP_TABLE);
  writeCaptionSources(file, rows, { models, levels });
  return { file, rows };
}

/** The journals of a folder, one for each shard, of one sweep. */
function readShards(folder: string): SweepRecord[] {
  const names = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => SHARD_FILE.test(name));
  const shards = names.map((name): Shard => {
    const [, index, count] = SHARD_FILE.exec(name)!;
    return { index: Number(index), count: Number(count) };
  }).sort((a, b) => a.index - b.index);
  if (shards.length === 0) {
    throw new Error(`${folder} holds no part of a sweep: expected ${shardFile({ index: 1, count: 1 })} or the like.`);
  }
  const counts = [...new Set(shards.map(({ count }) => count))];
  if (counts.length > 1) {
    throw new Error(`${folder} holds parts of sweeps in ${counts.join(' and in ')} shards: delete what does not belong there.`);
  }
  const absent = Array.from({ length: counts[0] }, (_, i) => i + 1).filter((index) => !shards.some((shard) => shard.index === index));
  if (absent.length > 0) {
    const which = `${absent.join(', ')} ${absent.length > 1 ? 'are' : 'is'} missing`;
    throw new Error(`${folder}: of ${counts[0]} shards ${which}. Run the sweep with the shard ${absent[0]}/${counts[0]}.`);
  }
  const records = shards.map((shard) => {
    const file = join(folder, shardFile(shard));
    const record = readSweepJournal(file);
    if (!record) throw new Error(`${file} is empty. Run its shard again.`);
    return record;
  });
  const [first, ...others] = records.map(({ settings }) => JSON.stringify({ ...settings, shard: undefined }));
  const odd = others.findIndex((settings) => settings !== first);
  if (odd >= 0) {
    const files = `${records[0].file} and ${records[odd + 1].file}`;
    throw new Error(`${files} were started with different settings. ${settingsDifference(first, others[odd])}`);
  }
  return records;
}
