/**
 * The one shape every captioning data set takes here: records of an image, its captions and the split it belongs to, with a
 * report of what could not be read. Images are paths; pixels are read when a model wants them (see ../images).
 */
import { existsSync } from 'node:fs';

/** Part of a data set. Published names map onto these: `dev` and `validation` are `val`, COCO's `restval` is `train`. */
export type Split = 'train' | 'val' | 'test';

export const SPLITS: readonly Split[] = ['train', 'val', 'test'];

/** A thing drawn in a picture of the built-in Scenes; `box` is [x, y, width, height] in pixels from the top left corner. */
export interface SceneObject {
  readonly name: string;
  readonly box: readonly [x: number, y: number, width: number, height: number];
  readonly attributes: Readonly<Record<string, string>>;
}

/** One picture and what people said of it. */
export interface CaptionRecord {
  /** Unique within the data set: the published image id, or the file name where there is none. */
  readonly id: string;
  /** Absolute path of the picture. */
  readonly image: string;
  /** Captions as published: spelling, case and punctuation untouched. */
  readonly captions: readonly string[];
  readonly split: Split;
  /** What is drawn where; only in Scenes. */
  readonly objects?: readonly SceneObject[];
  /** Width and height in pixels, that boxes are to be read by; where there are objects. */
  readonly size?: readonly [width: number, height: number];
}

/** A row that could not be used. `line` counts from 1; 0 stands for the file as a whole (JSON has no lines to speak of). */
export interface BadRow {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** What a loader met on the way. Nothing in it stops the data set from being used. */
export interface DatasetReport {
  /** Rows that were left out, with file, line and reason. */
  readonly badRows: readonly BadRow[];
  /** Pictures named by a caption or a split file that are not on disk; their records are left out. */
  readonly missingImages: readonly string[];
  /** Pictures with captions that no split claims; left out. */
  readonly unassigned: readonly string[];
  /** Pictures that a split claims and nobody described; left out. */
  readonly uncaptioned: readonly string[];
}

export const EMPTY_REPORT: DatasetReport = { badRows: [], missingImages: [], unassigned: [], uncaptioned: [] };

/**
 * An ordered, immutable list of {@link CaptionRecord}s.
 *
 * @throws Error when two records share an id or a record has no caption: a loader must have sorted that out.
 */
export class CaptionDataset implements Iterable<CaptionRecord> {
  readonly name: string;
  readonly records: readonly CaptionRecord[];
  readonly report: DatasetReport;

  constructor(name: string, records: readonly CaptionRecord[], report: Partial<DatasetReport> = {}) {
    const seen = new Set<string>();
    for (const record of records) {
      if (seen.has(record.id)) throw new Error(`${name}: two records have the id '${record.id}'; ids must be unique.`);
      if (record.captions.length === 0) throw new Error(`${name}: record '${record.id}' has no caption.`);
      seen.add(record.id);
    }
    this.name = name;
    this.records = records;
    this.report = { ...EMPTY_REPORT, ...report };
  }

  /**
   * Several data sets one after the other, their reports together.
   *
   * @throws Error when two of them share an id.
   */
  static concat(name: string, parts: readonly CaptionDataset[]): CaptionDataset {
    const all = <T>(pick: (part: CaptionDataset) => readonly T[]) => parts.flatMap((part) => [...pick(part)]);
    return new CaptionDataset(name, all((part) => part.records), {
      badRows: all((part) => part.report.badRows),
      missingImages: all((part) => part.report.missingImages),
      unassigned: all((part) => part.report.unassigned),
      uncaptioned: all((part) => part.report.uncaptioned),
    });
  }

  /** Number of pictures. */
  get length(): number {
    return this.records.length;
  }

  [Symbol.iterator](): Iterator<CaptionRecord> {
    return this.records[Symbol.iterator]();
  }

  /** The records of one split, in order. */
  split(split: Split): CaptionDataset {
    return this.where((record) => record.split === split, `${this.name}/${split}`);
  }

  /** The first `n` records (all of them when there are fewer). */
  take(n: number): CaptionDataset {
    if (!Number.isInteger(n) || n < 0) throw new RangeError(`take(n) wants a count of 0 or more, not ${n}.`);
    return new CaptionDataset(this.name, this.records.slice(0, n), this.report);
  }

  /** The records for which `keep` holds. */
  where(keep: (record: CaptionRecord, index: number) => boolean, name: string = this.name): CaptionDataset {
    return new CaptionDataset(name, this.records.filter(keep), this.report);
  }

  /** The records at these positions, in this order. */
  subset(indices: readonly number[]): CaptionDataset {
    const records = indices.map((index) => {
      const record = this.records[index];
      if (!record) throw new RangeError(`${this.name} has ${this.length} records; there is no record ${index}.`);
      return record;
    });
    return new CaptionDataset(this.name, records, this.report);
  }

  /** Every caption of every record, in order. */
  captions(): string[] {
    return this.records.flatMap((record) => record.captions);
  }

  /** The paths of the pictures, in order. */
  images(): string[] {
    return this.records.map((record) => record.image);
  }

  /** Number of pictures in each split. */
  get counts(): Record<Split, number> {
    const counts: Record<Split, number> = { train: 0, val: 0, test: 0 };
    for (const record of this.records) counts[record.split]++;
    return counts;
  }

  /** What is in the data set and what was left out, in a few lines for people. */
  describe(): string {
    const { train, val, test } = this.counts;
    const captions = this.records.reduce((sum, record) => sum + record.captions.length, 0);
    const lines = [`${this.name}: ${this.length} pictures (train ${train}, val ${val}, test ${test}), ${captions} captions`];
    const { badRows, missingImages, unassigned, uncaptioned } = this.report;
    if (badRows.length) {
      lines.push(`${badRows.length} rows left out:`, ...badRows.slice(0, 5).map((row) => `  ${formatBadRow(row)}`));
      if (badRows.length > 5) lines.push(`  and ${badRows.length - 5} more (report.badRows)`);
    }
    const list = (names: readonly string[], what: string) => {
      if (names.length) lines.push(`${names.length} ${what}: ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`);
    };
    list(missingImages, 'pictures named but not on disk');
    list(unassigned, 'pictures with captions but in no split');
    list(uncaptioned, 'pictures in a split but without captions');
    return lines.join('\n');
  }
}

/** `file:line: reason`, as editors understand it. */
export function formatBadRow(row: BadRow): string {
  return row.line > 0 ? `${row.file}:${row.line}: ${row.reason}` : `${row.file}: ${row.reason}`;
}

/** Accumulates captions picture by picture, in the order pictures are first met. Loaders share it. */
export class CaptionCollector {
  readonly badRows: BadRow[] = [];
  private readonly byImage = new Map<string, string[]>();

  /** Notes a row that cannot be used. */
  reject(file: string, line: number, reason: string): void {
    this.badRows.push({ file, line, reason });
  }

  add(image: string, caption: string): void {
    const captions = this.byImage.get(image);
    if (captions) captions.push(caption);
    else this.byImage.set(image, [caption]);
  }

  has(image: string): boolean {
    return this.byImage.has(image);
  }

  /** Pictures with their captions, first met first. */
  entries(): IterableIterator<[string, string[]]> {
    return this.byImage.entries();
  }

  get size(): number {
    return this.byImage.size;
  }
}

/** The first of the candidates that exists, or undefined. */
export function firstExisting(candidates: readonly string[]): string | undefined {
  return candidates.find((candidate) => existsSync(candidate));
}
