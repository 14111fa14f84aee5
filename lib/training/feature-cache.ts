/**
 * Features of a frozen encoder, computed once and kept on disk: `<key>.f32` holds one row of float32 an image, `<key>.json` says
 * what they are. Rows are read by position, so a dataset larger than memory trains as well as a small one.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../whole-file';

const headerSchema = z.object({
  key: z.string(),
  shape: z.array(z.number().int().positive()),
  ids: z.array(z.string()),
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

export class FeatureCache implements PictureFeatures {
  readonly rowSize: number;

  private constructor(readonly file: string, private readonly descriptor: number, readonly shape: readonly number[], private readonly index: ReadonlyMap<string, number>) {
    this.rowSize = shape.reduce((a, b) => a * b, 1);
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
      } finally {
        fs.closeSync(output);
      }
      fs.renameSync(partial, data);
      writeWhole(header, JSON.stringify({ key, shape, ids }));
    }

    onProgress?.(ids.length, ids.length);
    const parsed = headerSchema.safeParse(parseJson(fs.readFileSync(header, 'utf8')));
    const size = fs.existsSync(data) ? fs.statSync(data).size : -1;
    if (!parsed.success || parsed.data.key !== key || size !== rowBytes * ids.length) {
      fs.rmSync(header, { force: true });
      throw new Error(`The feature cache ${data} is damaged (${size} bytes instead of ${rowBytes * ids.length}); it is dropped, run this again to compute it anew.`);
    }
    return new FeatureCache(data, fs.openSync(data, 'r'), shape, new Map(ids.map((id, i) => [id, i])));
  }

  /** Rows of the given ids, one after another. */
  read(ids: readonly string[]): Float32Array {
    const rows = new Float32Array(ids.length * this.rowSize);
    const rowBytes = this.rowSize * 4;
    const bytes = new Uint8Array(rows.buffer);
    for (const [i, id] of ids.entries()) {
      const position = this.index.get(id);
      if (position === undefined) throw new Error(`${this.file} has no features of "${id}".`);
      for (let at = 0; at < rowBytes;) {
        const got = fs.readSync(this.descriptor, bytes, i * rowBytes + at, rowBytes - at, position * rowBytes + at);
        if (got === 0) throw new Error(`${this.file} ends before the features of "${id}": delete it and run this again.`);
        at += got;
      }
    }
    return rows;
  }

  close(): void { fs.closeSync(this.descriptor); }
}
