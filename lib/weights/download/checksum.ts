/** The two checksums by which the hub names contents. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';

export interface Checksum {
  algorithm: 'sha256' | 'git-sha1';
  hex: string;
}

/** SHA-256 (large files) or git's SHA-1 of a blob (small ones) by their length; undefined for another etag, which cannot be checked. */
export function checksumOf(etag: string | undefined): Checksum | undefined {
  if (etag && /^[0-9a-f]{64}$/.test(etag)) return { algorithm: 'sha256', hex: etag };
  if (etag && /^[0-9a-f]{40}$/.test(etag)) return { algorithm: 'git-sha1', hex: etag };
  return undefined;
}

/** Whether a file on disk has this checksum. */
export async function fileMatches(file: string, { algorithm, hex }: Checksum): Promise<boolean> {
  const hash = createHash(algorithm === 'sha256' ? 'sha256' : 'sha1');
  // Git hashes a header of kind and length before the contents.
  if (algorithm === 'git-sha1') hash.update(`blob ${fs.statSync(file).size}\0`);
  for await (const part of fs.createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(part as Buffer);
  return hash.digest('hex') === hex;
}
