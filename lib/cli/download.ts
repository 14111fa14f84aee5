import { progress, type Progress } from '../notebook/progress';
import { resolveCheckpoint } from '../weights/checkpoint-folder';
import { downloadCheckpoint, formatBytes, hubCacheFolder } from '../weights/download';
import { checkpointRegistry } from '../weights/registry';

export interface DownloadCommandOptions {
  list?: boolean;
  revision?: string;
  offline?: boolean;
  token?: string;
  endpoint?: string;
  json?: boolean;
}

/**
 * Fetches a checkpoint; how it goes is told on standard error: a bar on a terminal, a line a file elsewhere.
 *
 * @returns what the command prints on standard output: the folder, or JSON.
 * @throws HubError that says what to do.
 */
export async function download(name: string, { json, revision, offline, token, endpoint }: DownloadCommandOptions): Promise<string> {
  const say = (text: string) => { process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[2K' : ''}${text}\n`); };
  let bar: Progress | undefined;
  const done = await downloadCheckpoint(name, {
    revision, offline, token, endpoint,
    onPlan({ repository, commit, files, bytesToCome }) {
      const all = files.reduce((sum, { size = 0 }) => sum + size, 0);
      const rest = bytesToCome < all ? `, ${formatBytes(bytesToCome)} to come` : '';
      say(`${repository} at ${commit}: ${files.length} files, ${formatBytes(all)}${rest}`);
      if (bytesToCome > 0) bar = progress(bytesToCome, '', { format: formatBytes });
    },
    onBytes: (bytes) => bar?.step(undefined, bytes),
    onFile: ({ path, bytes, wasHere }) => say(`  ${path} · ${formatBytes(bytes)}${wasHere ? ' · was here' : ''}`),
    onNote: (text) => say(`  ${text}`),
  }).finally(() => bar?.done());
  return json ? `${JSON.stringify(done)}\n` : `${done.folder}\n`;
}

/** @returns the registry as a table or as JSON, with the folders of those that are here. */
export function listCheckpoints({ json }: DownloadCommandOptions): string {
  const rows = checkpointRegistry.map((entry) => ({ ...entry, folder: folderOf(entry.name) }));
  if (json) return `${JSON.stringify(rows)}\n`;
  const width = (of: (row: typeof rows[number]) => string) => Math.max(...rows.map((row) => of(row).length));
  const names = width(({ name }) => name), repositories = width(({ repository }) => repository);
  const lines = rows.map(({ name, bytes, repository, licence, folder }) =>
    `${folder ? '✓' : ' '}  ${name.padEnd(names)}  ${formatBytes(bytes).padStart(7)}  ${repository.padEnd(repositories)}  ${licence}\n`);
  return `${lines.join('')}\n✓ is here. The cache is ${hubCacheFolder()}.\n`;
}

function folderOf(name: string): string | null {
  try { return resolveCheckpoint(name); } catch { return null; }
}
