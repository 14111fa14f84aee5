import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Digest of the files of a checkpoint's folder, as the `version` of a model: captions of other weights are then not taken for those of
 * these.
 */
export async function checkpointVersion(folder: string): Promise<string> {
  if (!existsSync(folder)) throw new Error(`${folder}: there is no such folder; expected that of a checkpoint.`);
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
  if (files.length === 0) throw new Error(`${folder} is empty; expected the folder of a checkpoint.`);
  const digest = createHash('sha256');
  for (const file of files) {
    digest.update(`${file.slice(folder.length)}\0`);
    for await (const bytes of createReadStream(file)) digest.update(bytes as Buffer);
  }
  return digest.digest('hex').slice(0, 16);
}
