/**
 * One file from the hub into the cache: resumed, checked, and put in place whole.
 *
 * Contents arrive in `blobs/<etag>.incomplete`. The name holds the contents' checksum, so that what is there is always the beginning of the
 * wanted file, and a changed file starts anew under another name. A start over makes a new file instead of emptying the old one, and bytes
 * are written at their own places: should two processes ever write at once, they write the same, and the one that comes second finds the
 * blob in place.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { checksumOf, fileMatches } from './checksum';
import { acquireLock } from '../../file-lock';
import type { RemoteFile } from './file-list';
import type { RepositoryCache } from './hub-cache';
import { HubError } from './hub-error';
import { hubRequest, PassingError, plainEtag, type HubAnswer } from './hub-request';
import { filePath, type HubSource } from './hub-source';
import { refusal } from './refusal';
import { withRetries } from './retry';

/** Of a file whose length no one says. */
const MAX_UNANNOUNCED = 64 * 2 ** 20;

export interface FetchEvents {
  /** Bytes that arrived; fewer than none when a start over lost some. */
  onBytes?: (bytes: number) => void;
  onNote?: (text: string) => void;
}

/** The file's name among the blobs: its etag where that can be a file's name. */
export function blobName({ path: file, etag = '' }: RemoteFile, commit: string): string {
  return /^[\w-]{8,128}$/.test(etag) ? etag : createHash('sha256').update(`${commit}/${file}/${etag}`).digest('hex').slice(0, 32);
}

/** Whether the contents are in the cache, whole. */
export function isCached(cache: RepositoryCache, name: string, { size }: RemoteFile): boolean {
  const stat = fs.statSync(cache.blob(name), { throwIfNoEntry: false });
  return stat?.isFile() === true && (size === undefined || stat.size === size);
}

/** How many bytes of the contents have arrived already. */
export const arrivedBytes = (part: string): number => fs.statSync(part, { throwIfNoEntry: false })?.size ?? 0;

/**
 * Sees to it that the contents are in the cache and in the snapshot.
 *
 * @param source its revision is the commit.
 * @throws HubError when the server refuses, lies about the length, sends something else than it lists, or cannot be reached.
 */
export async function fetchFile(source: HubSource, file: RemoteFile, cache: RepositoryCache, events: FetchEvents = {}): Promise<void> {
  const commit = source.revision, name = blobName(file, commit), blob = cache.blob(name);
  if (!isCached(cache, name, file)) {
    fs.mkdirSync(path.dirname(blob), { recursive: true });
    const lock = await acquireLock(cache.lock(name), () => events.onNote?.(`another process is downloading ${file.path}: waiting for it`));
    try {
      if (!isCached(cache, name, file)) await fetchBlob(source, file, blob, events);
    } finally {
      lock.release();
    }
  }
  cache.link(name, commit, file.path);
}

async function fetchBlob(source: HubSource, file: RemoteFile, blob: string, events: FetchEvents): Promise<void> {
  const part = `${blob}.incomplete`, checksum = checksumOf(file.etag);
  const onRetry = (reason: string, seconds: number) => source.retry?.onRetry?.(`${file.path}: ${reason}`, seconds);
  for (let corrupt = 0; ;) {
    let etag = file.etag;
    const size = await withRetries(async (progressed) => {
      const onBytes = (bytes: number) => {
        if (bytes > 0) progressed();
        events.onBytes?.(bytes);
      };
      const transfer = new Transfer(source, file, part, onBytes);
      try { return await transfer.run(etag); } finally { etag = transfer.etag ?? etag; }
    }, { ...source.retry, onRetry });
    if (!checksum || await fileMatches(part, checksum)) break;
    fs.rmSync(part, { force: true });
    events.onBytes?.(-size);
    corrupt++;
    if (corrupt === 2) {
      const listed = `${source.settings.endpoint.origin} lists (${checksum.algorithm} is not ${checksum.hex.slice(0, 12)}…)`;
      throw new HubError(`${file.path} arrived twice with other contents than ${listed}: something on the way changes it. Nothing of it was kept.`);
    }
    events.onNote?.(`${file.path} does not have the checksum that the hub lists: downloading it once more`);
  }
  putInPlace(part, blob);
}

function putInPlace(part: string, blob: string): void {
  const descriptor = fs.openSync(part, 'r+');
  // A machine that stops right after the renaming must not find an empty file under the final name.
  try { fs.fsyncSync(descriptor); } finally { fs.closeSync(descriptor); }
  try { fs.renameSync(part, blob); } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !fs.existsSync(blob)) throw error;
  }
}

/** One request for what is missing of a file, and the writing of its answer. */
class Transfer {
  /** Of the contents being sent, for the next request's If-Range. */
  etag: string | undefined;

  constructor(
    private readonly source: HubSource, private readonly file: RemoteFile,
    private readonly part: string, private readonly onBytes: (bytes: number) => void,
  ) {}

  /** @returns the length of the file, all of which is then there. */
  async run(etag: string | undefined): Promise<number> {
    const { size } = this.file;
    if (arrivedBytes(this.part) > (size ?? Infinity)) this.startOver();
    // With neither a checksum at the end nor an etag to compare, nothing would show that two halves belong together.
    if (!checksumOf(this.file.etag) && etag === undefined) this.startOver();
    const have = arrivedBytes(this.part);
    if (have === size) {
      if (!fs.existsSync(this.part)) fs.writeFileSync(this.part, '');
      return size;
    }
    const answer = await this.ask(have, etag);
    try {
      if (answer.status === 416 || (answer.status === 206 && !this.continues(answer, have))) {
        this.startOver();
        throw new PassingError(`${answer.url.host} does not continue at byte ${have}`);
      }
      if (answer.status === 200 && have > 0) this.startOver();
      if (answer.status !== 200 && answer.status !== 206) throw refusal(answer, this.source, this.file.path);
      this.etag = plainEtag(answer.headers.etag);
      return await this.receive(answer, answer.status === 206 ? have : 0);
    } finally {
      answer.body.destroy();
    }
  }

  private ask(have: number, etag: string | undefined): Promise<HubAnswer> {
    // A weak etag says "alike", which is not enough to put two halves together: servers compare strongly, so it is never equal.
    const range = have > 0 ? { range: `bytes=${have}-`, ...this.ifRange(etag) } : {};
    return hubRequest(this.source.settings, filePath(this.source, this.file.path), { headers: range, silence: this.source.silence });
  }

  /** Only without a checksum: behind the hub the storage has etags of its own, and the checksum at the end decides anyway. */
  private ifRange(etag: string | undefined): Record<string, string> {
    return etag !== undefined && !checksumOf(this.file.etag) ? { 'if-range': `"${etag}"` } : {};
  }

  /** Whether a partial answer begins where the file ends so far, and is of a file as long as the list says. */
  private continues({ headers }: HubAnswer, have: number): boolean {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    return Number(from) === have && (total === '*' || this.file.size === undefined || Number(total) === this.file.size);
  }

  private async receive(answer: HubAnswer, start: number): Promise<number> {
    const { size } = this.file, length = answer.headers['content-length'];
    const announced = length !== undefined && /^\d{1,15}$/.test(length) ? start + Number(length) : undefined;
    if (size !== undefined && announced !== undefined && announced !== size) {
      throw new HubError(`${answer.url.host} announces ${announced} bytes of ${this.file.path}, which the hub lists with ${size}: `
        + 'it changed just now, or the server or mirror is wrong. Run the command again.');
    }
    const limit = size ?? announced ?? MAX_UNANNOUNCED;
    const descriptor = fs.openSync(this.part, start > 0 ? 'r+' : 'w');
    let at = start;
    try {
      for await (const bytes of answer.body as AsyncIterable<Buffer>) {
        if (at + bytes.length > limit) throw this.tooLong(answer, limit);
        fs.writeSync(descriptor, bytes, 0, bytes.length, at);
        at += bytes.length;
        this.onBytes(bytes.length);
      }
    } catch (error) {
      throw isFromNetwork(error) ? new PassingError(`${answer.url.host} cut the connection after ${at} bytes`) : error;
    } finally {
      fs.closeSync(descriptor);
    }
    if (at < (size ?? announced ?? at) || !answer.body.complete) throw new PassingError(`${answer.url.host} ended after ${at} bytes`);
    return at;
  }

  private tooLong({ url }: HubAnswer, limit: number): HubError {
    fs.rmSync(this.part, { force: true });
    const announced = limit === MAX_UNANNOUNCED ? 'says no length' : `announced ${limit} bytes`;
    return new HubError(`${url.host} ${announced} of ${this.file.path} and sends more than ${limit}: stopped, and nothing of it was kept.`);
  }

  private startOver(): void {
    const lost = arrivedBytes(this.part);
    fs.rmSync(this.part, { force: true });
    if (lost > 0) this.onBytes(-lost);
  }
}

/** Errors of the stream of bytes rather than of the disk. */
function isFromNetwork(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return error instanceof PassingError || /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|HPE_|ERR_STREAM|ERR_HTTP|ERR_SSL)/.test(code);
}
