/**
 * Features of a frozen encoder, computed once and kept on disk: `<key>.f32` holds one row of float32 an image, `<key>.json` says
 * what they are. Rows are read by position, so a dataset larger than memory trains as well as a small one; each is checked when it
 * is read for the first time.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { writeWhole } from '../whole-file';

const headerSchema = z.object({
  key: z.string(),
  shape: z.array(z.number().int().positive()),
  ids: z.array(z.string()),
  /** CRC-32 of each row; files from before there were any go unchecked. */
  checksums: z.array(z.number().int()).optional(),
});

export interface FeatureCacheOptions {
  /** Folder of the cache files. */
  folder: string;
  /** Short name for the file, such as flickr8k-mobilenet_v2. */
  name: string;
  /** Everything that changes the values: encoder weights, preprocessing, image files. Hashed into the file's name. */
  fingerprint: unknown;
  /** Shape of one image's features, e.g. [49, 1280]. */
  shape: readonly number[];
  ids: readonly string[];
  /** Features of the images from a position on, in order, any number of whole rows at a time. */
  compute: (from: number) => AsyncIterable<Float32Array>;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Features of pictures by their ids: from the cache on disk, or made otherwise. */
export interface PictureFeatures {
  /** Of one picture's features, e.g. [49, 1280] */
  readonly shape: readonly number[];
  /** Rows of the given ids, one after another. */
  read(ids: readonly string[]): Float32Array;
}

/** undefined for what is not JSON. */
function parseJson(text: string): unknown {
  try { return JSON.parse(text); } catch { return undefined; }
}

/** Fills `bytes` from a place in a file; false where the file ends before. */
function readFully(descriptor: number, bytes: Uint8Array, from: number): boolean {
  for (let at = 0; at < bytes.length;) {
    const got = fs.readSync(descriptor, bytes, at, bytes.length - at, from + at);
    if (got === 0) return false;
    at += got;
  }
  return true;
}

function checksumsOf(descriptor: number, rows: number, rowBytes: number): number[] {
  const bytes = new Uint8Array(rowBytes);
  return Array.from({ length: rows }, (_, row) => {
    readFully(descriptor, bytes, row * rowBytes);
    return crc32(bytes);
  });
}

export class FeatureCache implements PictureFeatures {
  readonly rowSize: number;
  private readonly index: ReadonlyMap<string, number>;
  /** Of the rows that are still to be checked. */
  private readonly checksums: (number | undefined)[];

  private constructor(readonly file: string, private readonly descriptor: number, readonly shape: readonly number[],
    ids: readonly string[], checksums: readonly number[] = []) {
    this.rowSize = shape.reduce((a, b) => a * b, 1);
    this.index = new Map(ids.map((id, i) => [id, i]));
    this.checksums = [...checksums];
  }

  /** Opens the cache, first computing what is missing; a cut-off run goes on where it stopped. */
  static async open({ folder, name, fingerprint, shape, ids, compute, onProgress, signal }: FeatureCacheOptions): Promise<FeatureCache> {
    const key = createHash('sha256').update(JSON.stringify([fingerprint, shape, ids])).digest('hex').slice(0, 16);
    fs.mkdirSync(folder, { recursive: true });
    const base = path.join(folder, `${name}-${key}`);
    const data = `${base}.f32`, header = `${base}.json`, partial = `${base}.partial`;
    const rowBytes = shape.reduce((a, b) => a * b, 1) * 4;

    if (!fs.existsSync(header)) {
      const output = fs.openSync(partial, fs.existsSync(partial) ? 'r+' : 'w+');
      let checksums: number[];
      try {
        // Whole rows already there count; a torn one is written again.
        let done = Math.floor(fs.fstatSync(output).size / rowBytes);
        if (done < ids.length) {
          for await (const rows of compute(done)) {
            signal?.throwIfAborted();
            const count = rows.byteLength / rowBytes;
            if (!Number.isInteger(count) || done + count > ids.length) {
              throw new Error(`The encoder gave ${rows.length} values, which is not a whole number of images of ${rowBytes / 4}.`);
            }
            const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
            for (let at = 0; at < bytes.length;) at += fs.writeSync(output, bytes, at, bytes.length - at, done * rowBytes + at);
            done += count;
            onProgress?.(done, ids.length);
          }
        }
        if (done < ids.length) throw new Error(`The encoder stopped after ${done} of ${ids.length} images.`);
        checksums = checksumsOf(output, ids.length, rowBytes);
      } finally {
        fs.closeSync(output);
      }
      fs.renameSync(partial, data);
      writeWhole(header, JSON.stringify({ key, shape, ids, checksums }));
    }

    onProgress?.(ids.length, ids.length);
    const parsed = headerSchema.safeParse(parseJson(fs.readFileSync(header, 'utf8')));
    const size = fs.existsSync(data) ? fs.statSync(data).size : -1;
    const checksums = parsed.data?.checksums;
    if (parsed.data?.key !== key || size !== rowBytes * ids.length || (checksums && checksums.length !== ids.length)) {
      fs.rmSync(header, { force: true });
      const sizes = `${size} bytes instead of ${rowBytes * ids.length}`;
      throw new Error(`The feature cache ${data} is damaged (${sizes}); it is dropped, run this again to compute it anew.`);
    }
    return new FeatureCache(data, fs.openSync(data, 'r'), shape, ids, checksums);
  }

  /** Rows of the given ids, one after another. */
  read(ids: readonly string[]): Float32Array {
    const rows = new Float32Array(ids.length * this.rowSize), rowBytes = this.rowSize * 4;
    for (const [i, id] of ids.entries()) {
      const position = this.index.get(id);
      if (position === undefined) throw new Error(`${this.file} has no features of "${id}".`);
      const bytes = new Uint8Array(rows.buffer, i * rowBytes, rowBytes);
      if (!readFully(this.descriptor, bytes, position * rowBytes)) {
        throw new Error(`${this.file} ends before the features of "${id}": delete it and run this again.`);
      }
      const checksum = this.checksums[position];
      if (checksum !== undefined && crc32(bytes) !== checksum) {
        fs.rmSync(this.file.replace(/f32$/, 'json'), { force: true });
        throw new Error(`In ${this.file} the features of "${id}" are damaged; it is dropped, run this again to compute it anew.`);
      }
      this.checksums[position] = undefined;
    }
    return rows;
  }

  close(): void { fs.closeSync(this.descriptor); }
}
