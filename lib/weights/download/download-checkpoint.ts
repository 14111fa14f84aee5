/** A whole checkpoint from the hub into the cache. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { findCheckpointEntry, similarNames } from '../registry';
import { formatBytes } from './byte-size';
import { checksumOf, type Checksum } from './checksum';
import { arrivedBytes, blobName, fetchFile, isCached } from './fetch-file';
import { chooseFiles, missingFiles } from './file-choice';
import { complete, listFiles, type RemoteFile, type RemoteSnapshot } from './file-list';
import { RepositoryCache } from './hub-cache';
import { HubError, UnreachableError } from './hub-error';
import { hubSettings, type HubOptions } from './hub-settings';
import type { HubSource } from './hub-source';
import { checkRevision, isRepository } from './repository';
import type { RetryOptions } from './retry';

/** What a download tells while it runs. */
export interface DownloadEvents {
  /** Once, before the first byte: all files, and how many bytes of them are still to come. */
  onPlan?: (plan: { repository: string; commit: string; files: readonly RemoteFile[]; bytesToCome: number }) => void;
  /** Bytes that arrived; fewer than none when a start over lost some. */
  onBytes?: (bytes: number) => void;
  /** A file is in place. */
  onFile?: (file: { path: string; bytes: number; wasHere: boolean }) => void;
  /** Something to know: a cut and the next try, another process at work, a server that cannot be reached. */
  onNote?: (text: string) => void;
}

export interface DownloadOptions extends HubOptions, DownloadEvents {
  /** Branch, tag or commit; default the registry's, else `main`. */
  revision?: string;
  retry?: Pick<RetryOptions, 'tries' | 'firstWait'>;
  /** Milliseconds without a byte after which a connection counts as cut; default 30 s. */
  silence?: number;
}

export interface DownloadedCheckpoint {
  repository: string;
  revision: string;
  commit: string;
  /** What `load` takes. */
  folder: string;
  files: { path: string; bytes: number; checksum: Checksum | null }[];
  /** Bytes that came over the network, also those of tries that failed. */
  downloadedBytes: number;
}

/**
 * Downloads what this library needs of a checkpoint: configuration, tokenizer, preprocessing, and weights in one format (safetensors where
 * there are any). What is in the cache already is not fetched again, what arrived in part is resumed; every file is checked against the
 * length and checksum that the hub lists before it gets its name.
 *
 * @param nameOrRepository a name of the registry, or owner/repository.
 * @throws HubError that says what to do.
 */
export async function downloadCheckpoint(nameOrRepository: string, options: DownloadOptions = {}): Promise<DownloadedCheckpoint> {
  const entry = findCheckpointEntry(nameOrRepository), repository = entry?.repository ?? nameOrRepository;
  if (!isRepository(repository)) {
    throw new HubError(`There is no checkpoint ${JSON.stringify(nameOrRepository)} in the registry.${similarNames(nameOrRepository)} `
      + 'Expected one of its names (`npx captioning download --list`) or owner/repository.');
  }
  const settings = hubSettings(options), revision = checkRevision(options.revision ?? entry?.revision ?? 'main');
  const cache = new RepositoryCache(settings.cache, repository), here = cachedWhole(cache, revision);
  if (settings.offline) {
    if (here) return describeCached(here, repository, revision);
    const inPart = cache.findSnapshot(revision) ? ', or only in part' : '';
    throw new HubError(`${repository} at ${revision} is not in ${settings.cache}${inPart}, and no server may be asked (--offline or HF_HUB_OFFLINE).`);
  }
  const onRetry = (reason: string, seconds: number) => options.onNote?.(`${reason}; trying again in ${Math.ceil(seconds)} s`);
  const source: HubSource = { settings, repository, revision, silence: options.silence, retry: { ...options.retry, onRetry } };
  try {
    const snapshot = await listFiles(here ? { ...source, retry: { ...source.retry, tries: 2 } } : source, entry?.files);
    return await fetchAll({ ...source, revision: snapshot.commit }, snapshot, cache, revision, options);
  } catch (error) {
    if (here && error instanceof UnreachableError) {
      options.onNote?.(`${error.message} What is in the cache is whole and may be older than the hub's`);
      return describeCached(here, repository, revision);
    }
    throw diskError(error, settings.cache);
  }
}

async function fetchAll(
  source: HubSource, snapshot: RemoteSnapshot, cache: RepositoryCache, revision: string, options: DownloadOptions,
): Promise<DownloadedCheckpoint> {
  const { repository } = source, { commit } = snapshot;
  const { files: small, weights } = chooseFiles(snapshot.files.map(({ path: name }) => name));
  if (weights.length === 0) {
    const names = snapshot.files.map(({ path: name }) => name).slice(0, 12).join(', ');
    throw new HubError(`${repository} holds no weights that can be read here (safetensors or PyTorch's): it has ${names || 'no files'}.`);
  }
  const files: RemoteFile[] = [];
  for (const name of [...small, ...weights]) files.push(await complete(source, snapshot.files.find((file) => file.path === name)!));

  const plan = files.map((file) => {
    const name = blobName(file, commit), wasHere = isCached(cache, name, file);
    return { file, name, wasHere, toCome: wasHere ? 0 : Math.max(0, (file.size ?? 0) - arrivedBytes(`${cache.blob(name)}.incomplete`)) };
  });
  const bytesToCome = plan.reduce((sum, { toCome }) => sum + toCome, 0);
  checkSpace(cache.folder, bytesToCome);
  options.onPlan?.({ repository, commit, files, bytesToCome });
  let downloadedBytes = 0;
  const events = {
    onNote: options.onNote,
    onBytes(bytes: number) {
      downloadedBytes += Math.max(0, bytes);
      options.onBytes?.(bytes);
    },
  };
  const result: DownloadedCheckpoint['files'] = [];
  for (const { file, name, wasHere } of plan) {
    await fetchFile(source, file, cache, events);
    const bytes = fs.statSync(cache.blob(name)).size;
    result.push({ path: file.path, bytes, checksum: checksumOf(file.etag) ?? null });
    options.onFile?.({ path: file.path, bytes, wasHere });
  }
  const folder = cache.snapshot(commit), missing = missingFiles(folder);
  if (missing.length > 0) throw new HubError(`${repository} lacks ${missing.join(', ')} at ${revision}: it cannot be loaded.`);
  cache.writeRef(revision, commit);
  return { repository, revision, commit, folder, files: result, downloadedBytes };
}

/** The snapshot of a revision, if it can be loaded. */
function cachedWhole(cache: RepositoryCache, revision: string): string | undefined {
  const folder = cache.findSnapshot(revision);
  return folder && missingFiles(folder).length === 0 ? folder : undefined;
}

function describeCached(folder: string, repository: string, revision: string): DownloadedCheckpoint {
  const names = fs.readdirSync(folder), { files, weights } = chooseFiles(names);
  const described = [...files, ...weights].map((name) => {
    const file = path.join(folder, name);
    // In the cache a file's checksum is the name of the blob that it links to.
    return { path: name, bytes: fs.statSync(file).size, checksum: checksumOf(path.basename(fs.realpathSync(file))) ?? null };
  });
  return { repository, revision, commit: path.basename(folder), folder, files: described, downloadedBytes: 0 };
}

function checkSpace(folder: string, bytes: number): void {
  let existing = folder;
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  const { bavail, bsize } = fs.statfsSync(existing), free = bavail * bsize;
  if (bytes <= free) return;
  throw new HubError(`${formatBytes(bytes)} are to come and ${existing} has ${formatBytes(free)} left: free some space, `
    + 'or set HF_HOME to a folder on another disk.');
}

function diskError(error: unknown, cache: string): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'].includes(code)) return error;
  return new HubError(`${cache} cannot be written (${message}): free some space, mend its rights, or set HF_HOME to another folder.`);
}
