/** What the hub says is in a repository, and of each file its length and checksum. */
import { z } from 'zod';
import { HubError } from './hub-error';
import { hubRequest, readText, type HubAnswer, type HubRequest } from './hub-request';
import { filePath, type HubSource } from './hub-source';
import { NoSuchPathError, refusal } from './refusal';
import { checkFileName, isCommit } from './repository';
import { withRetries } from './retry';

export interface RemoteFile {
  path: string;
  size?: number;
  /** What the hub names the contents by: usually their checksum. */
  etag?: string;
}

export interface RemoteSnapshot {
  commit: string;
  files: RemoteFile[];
}

/** The answer of `/api/models/{repository}/revision/{revision}?blobs=true`, as far as it matters here. */
const listSchema = z.object({
  sha: z.string().refine(isCommit, 'is no commit'),
  siblings: z.array(z.object({
    rfilename: z.string(),
    size: z.number().int().nonnegative().nullish(),
    blobId: z.string().nullish(),
    lfs: z.object({ sha256: z.string(), size: z.number().int().nonnegative().nullish() }).nullish(),
  })),
});

const MAX_LIST_BYTES = 50e6;

async function request(source: HubSource, path: string, options: HubRequest, file?: string): Promise<HubAnswer> {
  const answer = await hubRequest(source.settings, path, { silence: source.silence, ...options });
  if (answer.status === 200) return answer;
  answer.body.destroy();
  throw refusal(answer, source, file);
}

/**
 * The files of a repository.
 *
 * @param known asked for one by one where the server, a plain mirror, has no list.
 * @throws HubError when there is no such repository or revision, or it may not be read, or the answer is not a hub's.
 */
export async function listFiles(source: HubSource, known?: readonly string[]): Promise<RemoteSnapshot> {
  const path = `/api/models/${source.repository}/revision/${encodeURIComponent(source.revision)}?blobs=true`;
  let text: string;
  try {
    text = await withRetries(async () => readText(await request(source, path, {}), MAX_LIST_BYTES), source.retry);
  } catch (error) {
    if (known && error instanceof NoSuchPathError) return askForEach(source, known, error);
    throw error;
  }
  return parseList(text, source.settings.endpoint);
}

function parseList(text: string, endpoint: URL): RemoteSnapshot {
  const refuse = (why: string) => new HubError(`${endpoint.origin} answers with no list of files (${why}): `
    + 'if HF_ENDPOINT names a mirror, check that it is one of the hub; a proxy\'s log-in page looks like this too.');
  let json: unknown;
  try { json = JSON.parse(text); } catch { throw refuse('it is not JSON'); }
  const parsed = listSchema.safeParse(json);
  if (!parsed.success) throw refuse(`${parsed.error.issues[0].path.join('.')}: ${parsed.error.issues[0].message}`);
  const files = parsed.data.siblings.map(({ rfilename, size, blobId, lfs }) => ({
    path: checkFileName(rfilename), size: lfs?.size ?? size ?? undefined, etag: lfs?.sha256 ?? blobId ?? undefined,
  }));
  return { commit: parsed.data.sha, files };
}

async function askForEach(source: HubSource, known: readonly string[], reason: Error): Promise<RemoteSnapshot> {
  const files: RemoteFile[] = [];
  let { revision } = source, commit = isCommit(revision) ? revision : undefined;
  for (const path of known) {
    const answer = await describe({ ...source, revision }, path).catch((error: unknown) => {
      if (error instanceof NoSuchPathError) return undefined;
      throw error;
    });
    // The first is config.json: without it this is no mirror of the repository at all.
    if (!answer && files.length === 0) throw reason;
    if (!answer) continue;
    commit ??= answer.commit;
    if (!commit || !isCommit(commit)) {
      throw new HubError(`${source.settings.endpoint.origin} does not say which commit it serves: it is no mirror of the hub.`);
    }
    revision = commit;
    files.push({ path, size: answer.size, etag: answer.etag });
  }
  return { commit: commit!, files };
}

async function describe(source: HubSource, path: string): Promise<HubAnswer> {
  return withRetries(async () => {
    const answer = await request(source, filePath(source, path), { method: 'HEAD' }, path);
    answer.body.destroy();
    return answer;
  }, source.retry);
}

/** The file with its length and etag, asked for where the list did not say them. */
export async function complete(source: HubSource, file: RemoteFile): Promise<RemoteFile> {
  if (file.etag !== undefined && file.size !== undefined) return file;
  const { etag, size } = await describe(source, file.path);
  return { path: file.path, etag: file.etag ?? etag, size: file.size ?? size };
}
