/**
 * What a sweep has done so far, a line of JSON a picture and model, so that a process killed at any moment loses the batch in hand and no
 * more. The first line holds the settings; a sweep with others is refused.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { excerpt, readable } from '../excerpt';
import { settingsDifference } from '../settings-difference';

/** The captions of one model for one picture, one a level. */
const Entry = z.strictObject({
  model: z.string(),
  /** Position in the data set. */
  image: z.int().min(0),
  file: z.string(),
  original: z.string(),
  captions: z.array(z.string()),
});
export type SweepEntry = z.infer<typeof Entry>;

const Settings = z.object({
  shard: z.string(),
  images: z.int().min(1),
  /** Of all file names and original captions. */
  digest: z.string(),
  models: z.array(z.string()).min(1),
  levels: z.array(z.int()).min(1),
}).catchall(z.unknown());
/** Settings that say what an entry must be, and others that must be equal for entries to belong together. */
export type SweepSettings = z.infer<typeof Settings>;

export interface SweepRecord {
  readonly file: string;
  readonly settings: SweepSettings;
  readonly entries: readonly SweepEntry[];
}

/** A picture and a model, as a key. */
export const entryKey = ({ model, image }: Pick<SweepEntry, 'model' | 'image'>): string => `${image} ${model}`;

/**
 * Reads a journal; a last line that was cut off does not count.
 *
 * @returns undefined when not even the settings were written whole
 * @throws Error naming file and line of what does not belong there, or is there twice
 */
export function readSweepJournal(file: string): SweepRecord | undefined {
  return readWholeLines(file).record;
}

/** The journal of one run, open for adding to it. One process at a time. */
export class SweepJournal {
  private readonly done = new Map<string, SweepEntry>();

  private constructor(readonly file: string, private readonly descriptor: number, entries: readonly SweepEntry[]) {
    for (const entry of entries) this.done.set(entryKey(entry), entry);
  }

  /**
   * Opens a journal, or starts one.
   *
   * @param restart start anew where the settings differ, instead of refusing
   * @throws Error when the journal was started with other settings, or is damaged
   */
  static open(file: string, settings: SweepSettings, restart = false): SweepJournal {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const { record, bytes } = fs.existsSync(file) ? readWholeLines(file) : { record: undefined, bytes: 0 };
    const [saved, wanted] = [JSON.stringify(record?.settings ?? {}), JSON.stringify(settings)];
    const same = saved === wanted;
    if (record && !same && !restart) {
      const remedy = `Use another folder, or delete ${file} to start over.`;
      throw new Error(readable(`${file} was started with other settings. ${settingsDifference(saved, wanted)} ${remedy}`));
    }
    const descriptor = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_APPEND);
    fs.ftruncateSync(descriptor, same ? bytes : 0);
    if (!same) fs.writeSync(descriptor, `${wanted}\n`);
    return new SweepJournal(file, descriptor, same ? record!.entries : []);
  }

  has(model: string, image: number): boolean {
    return this.done.has(entryKey({ model, image }));
  }

  /** Number of pictures done, each model counted for itself. */
  get size(): number {
    return this.done.size;
  }

  /** Writes entries down, and waits until they are on the disk. */
  append(entries: readonly SweepEntry[]): void {
    const bytes = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    for (let at = 0; at < bytes.length;) at += fs.writeSync(this.descriptor, bytes, at);
    fs.fdatasyncSync(this.descriptor);
    for (const entry of entries) this.done.set(entryKey(entry), entry);
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}

/** The lines that are whole, and how many bytes they take. */
function readWholeLines(file: string): { record?: SweepRecord; bytes: number } {
  const buffer = fs.readFileSync(file);
  const bytes = buffer.lastIndexOf(0x0a) + 1;
  if (bytes === 0) return { bytes };
  const [first, ...lines] = buffer.toString('utf8', 0, bytes - 1).split('\n');
  const remedy = `Delete ${file} to start over.`;
  const parse = <T>(schema: z.ZodType<T>, text: string, line: number): T => {
    let value: unknown;
    try { value = JSON.parse(text); } catch { throw new Error(`${file}:${line}: this is not JSON. ${remedy}`); }
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const [{ path: place, message }] = result.error.issues;
    throw new Error(readable(`${file}:${line}: ${place.join('.')}: ${message}. ${remedy}`));
  };
  const settings = parse(Settings, first, 1);
  const seen = new Map<string, number>();
  const entries = lines.map((text, index) => {
    const line = index + 2;
    const entry = parse(Entry, text, line);
    const { model, image, captions } = entry;
    const before = seen.get(entryKey(entry));
    if (before) throw new Error(`${file}:${line}: picture ${image} has captions of ${excerpt(model)} already, in line ${before}. ${remedy}`);
    if (!settings.models.includes(model) || image >= settings.images || captions.length !== settings.levels.length) {
      const found = `picture ${image} with ${captions.length} captions of ${excerpt(model)}`;
      throw new Error(`${file}:${line}: ${found} is not of this sweep (line 1). ${remedy}`);
    }
    seen.set(entryKey(entry), line);
    return entry;
  });
  return { record: { file, settings, entries }, bytes };
}
