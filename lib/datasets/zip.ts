/**
 * Unpacking a data set's zip archive into a cache folder, once. An archive comes from elsewhere, so it may not write outside its folder,
 * place links, fill the disk, or say one thing in two entries.
 */
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { Entry, openPromise, ZipFile } from 'yauzl';
import { excerpt } from '../excerpt';

export interface UnzipOptions {
  /** Folder for unpacked archives; default `data/cache` below the working directory. */
  readonly cache?: string;
  /** Bytes all files together may have; default 20 GB (COCO's train2014 has 13). */
  readonly maxBytes?: number;
  /** Entries the archive may have; default 500,000. */
  readonly maxEntries?: number;
}

/** Text packs to a tenth and drawings to a hundredth; beyond this ratio, past the first megabytes, an archive is a bomb. */
const MAX_RATIO = 200;
const RATIO_FREE_BYTES = 16 * 2 ** 20;
const LONGEST_NAME = 1000;

/**
 * Unpacks `file` into the cache and returns the folder; an archive unpacked before (same path, size and time) is not unpacked again.
 * The folder appears complete or not at all.
 *
 * @throws Error naming the archive and the entry that is not acceptable.
 */
export async function unzip(file: string, options: UnzipOptions = {}): Promise<string> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new Error(`${file}: there is no such file.`);
  const key = createHash('sha256').update(`${realpathSync(file)}\0${stat.size}\0${stat.mtimeMs}`).digest('hex').slice(0, 12);
  const target = resolve(options.cache ?? join('data', 'cache'), `${basename(file).replace(/\.zip$/i, '')}-${key}`);
  if (existsSync(target)) return target;
  const entries = await listEntries(file, options);
  mkdirSync(dirname(target), { recursive: true });
  const partial = mkdtempSync(`${target}.tmp-`);
  try {
    await extract(file, entries, partial);
    try {
      renameSync(partial, target);
    } catch (error) {
      // Another process was first; its copy is as good.
      if (!existsSync(target)) throw error;
    }
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return target;
}

async function open(file: string): Promise<ZipFile> {
  try {
    return await openPromise(file, { autoClose: false, strictFileNames: true });
  } catch (error) {
    throw new Error(`${file}: this is not a zip archive, or its download was cut short (${messageOf(error)}).`, { cause: error });
  }
}

/** Reads the table of contents and refuses the archive before anything is written. Answers the names of the files to extract. */
async function listEntries(file: string, { maxBytes = 20 * 2 ** 30, maxEntries = 500_000 }: UnzipOptions): Promise<Set<string>> {
  const zip = await open(file);
  const refuse = (reason: string): never => {
    throw new Error(`${file}: ${reason}; the archive was not unpacked.`);
  };
  try {
    if (zip.entryCount > maxEntries) refuse(`${zip.entryCount} entries are more than the limit of ${maxEntries}`);
    const files = new Set<string>();
    const folded = new Map<string, string>();
    const folders = new Set<string>();
    let bytes = 0;
    let packed = 0;
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      const problem = entryProblem(entry);
      if (problem) refuse(`the entry ${excerpt(name)} ${problem}`);
      const isFolder = name.endsWith('/');
      const path = isFolder ? name.slice(0, -1) : name;
      // Names that a case-insensitive or normalising file system takes for one are one everywhere.
      const fold = path.normalize('NFC').toLowerCase();
      if (!isFolder) {
        if (folded.has(fold)) refuse(`the entry ${excerpt(name)} is there twice (also as ${excerpt(folded.get(fold)!)})`);
        folded.set(fold, name);
      } else folders.add(fold);
      for (let at = fold.lastIndexOf('/'); at > 0; at = fold.lastIndexOf('/', at - 1)) folders.add(fold.slice(0, at));
      bytes += entry.uncompressedSize;
      packed += entry.compressedSize;
      if (bytes > maxBytes) refuse(`its files have more than ${maxBytes} bytes together`);
      if (bytes > RATIO_FREE_BYTES && bytes > packed * MAX_RATIO) refuse(`its files are packed more than ${MAX_RATIO} to 1, as in a zip bomb`);
      if (!isFolder && !isClutter(name)) files.add(name);
    }
    for (const [fold, name] of folded) if (folders.has(fold)) refuse(`the entry ${excerpt(name)} is both a file and a folder`);
    if (files.size === 0) refuse('there are no files in it');
    return files;
  } catch (error) {
    throw describeError(file, error);
  } finally {
    zip.close();
  }
}

function entryProblem(entry: Entry): string | undefined {
  const name = entry.fileName;
  const kind = (entry.externalFileAttributes >>> 16) & 0o170000;
  if (name.length > LONGEST_NAME) return 'has a name that is too long';
  if (/[\0-\x1f\\:*?"<>|]/.test(name)) return 'has a name that not every system allows';
  if (name.startsWith('/') || name.split('/').some((part, index, parts) => ['', '.', '..'].includes(part) && index < parts.length - 1)) {
    return 'leads out of its folder';
  }
  if (['.', '..'].includes(basename(name))) return 'leads out of its folder';
  if (kind !== 0 && kind !== 0o100000 && kind !== 0o040000) return 'is a link or a device';
  if (entry.isEncrypted()) return 'is encrypted';
  if (!name.endsWith('/') && !entry.canDecodeFileData()) return 'is packed in a way that is not read here; pack it again with deflate';
  return undefined;
}

/** What macOS and Windows put into archives on their own. */
function isClutter(name: string): boolean {
  return name.startsWith('__MACOSX/') || ['.DS_Store', 'Thumbs.db', 'desktop.ini'].includes(basename(name));
}

async function extract(file: string, names: ReadonlySet<string>, folder: string): Promise<void> {
  const zip = await open(file);
  const made = new Set<string>();
  try {
    for await (const entry of zip.eachEntry()) {
      if (!names.has(entry.fileName)) continue;
      const path = join(folder, entry.fileName);
      const parent = dirname(path);
      if (!made.has(parent)) mkdirSync(parent, { recursive: true });
      made.add(parent);
      const check = new Checksum();
      // 'wx' never writes through something that is there already.
      await pipeline(await zip.openReadStreamPromise(entry), check, createWriteStream(path, { flags: 'wx' }));
      if (check.value !== entry.crc32) throw new Error(`the entry ${excerpt(entry.fileName)} is damaged (its checksum differs)`);
    }
  } catch (error) {
    throw describeError(file, error);
  } finally {
    zip.close();
  }
}

class Checksum extends Transform {
  value = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.value = crc32(chunk, this.value);
    done(null, chunk);
  }
}

function describeError(file: string, error: unknown): Error {
  const message = messageOf(error);
  if (message.startsWith(file)) return error as Error;
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return new Error(`${file}: the disk is full; unpacking needs more room.`, { cause: error });
  return new Error(`${file}: ${message}; the archive was not unpacked. If it is damaged, download it again.`, { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
