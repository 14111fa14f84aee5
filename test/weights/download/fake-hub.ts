/**
 * A hub on this machine: the API's list of files, small files from the hub itself, large ones by a redirect to a storage on another host
 * (another port), as the real one does. Faults are queued per file and used up one a request.
 */
import { createHash } from 'node:crypto';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';

export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
export const gitSha1 = (content: Buffer): string => createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

export interface Asked { at: 'hub' | 'storage'; method: string; path: string; range?: string; ifRange?: string; authorization?: string }

type Reply = http.ServerResponse<http.IncomingMessage>;
/** Answers in place of the server. */
export type Fault = (request: http.IncomingMessage, response: Reply, content: Buffer) => void;

/** Bytes that compress badly and differ from place to place. */
export function bytes(length: number, seed = 1): Buffer {
  const content = Buffer.alloc(length);
  for (let i = 0, x = seed; i < length; i++) content[i] = (x = (x * 1103515245 + 12345) & 0x7fffffff) >> 16;
  return content;
}

function startOf(request: http.IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

/** Announces the contents from a place on, and gives them back. */
function begin(response: Reply, content: Buffer, start: number, headers: http.OutgoingHttpHeaders = {}): Buffer {
  const rest = content.subarray(start);
  const range = start > 0 ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(start > 0 ? 206 : 200, { ...headers, 'content-length': rest.length, ...range });
  return rest;
}

/** Serves content with ranges, as storages do. */
function serve(request: http.IncomingMessage, response: Reply, content: Buffer, headers: http.OutgoingHttpHeaders): void {
  const validator = request.headers['if-range'], start = validator === undefined || validator === headers.etag ? startOf(request) : 0;
  if (start >= content.length && start > 0) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const rest = begin(response, content, start, headers);
  response.end(request.method === 'HEAD' ? undefined : rest);
}

export const faults = {
  /** Announces everything that is asked for, sends `count` bytes of it and cuts the connection. */
  cutAfter: (count: number): Fault => (request, response, content) => {
    const rest = begin(response, content, startOf(request));
    response.write(rest.subarray(0, count), () => { setTimeout(() => response.destroy(), 20); });
  },
  status: (status: number, headers: http.OutgoingHttpHeaders = {}, body = ''): Fault => (_, response) => {
    response.writeHead(status, headers).end(body);
  },
  redirect: (location: string, status = 302): Fault => (_, response) => { response.writeHead(status, { location }).end(); },
  corrupt: (): Fault => (request, response, content) => {
    const changed = Buffer.from(content);
    changed[changed.length >> 1] ^= 1;
    serve(request, response, changed, {});
  },
  announce: (length: number): Fault => (_, response, content) => {
    response.writeHead(200, { 'content-length': length });
    response.write(content, () => { setTimeout(() => response.destroy(), 20); });
  },
  /** No length, and no end until the reader leaves. */
  endless: (): Fault => (_, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(65536), more = () => { while (!response.destroyed && response.write(chunk)); };
    response.on('drain', more).on('error', () => {});
    more();
  },
  ignoreRange: (): Fault => (_, response, content) => { response.writeHead(200, { 'content-length': content.length }).end(content); },
  wrongRange: (): Fault => (_, response, content) => {
    response.writeHead(206, { 'content-range': `bytes 1-${content.length - 1}/${content.length}` }).end(content.subarray(1));
  },
  /** `slice` bytes every `pause` milliseconds. */
  slow: (slice: number, pause: number): Fault => (request, response, content) => {
    const rest = begin(response, content, startOf(request));
    let at = 0;
    const timer = setInterval(() => {
      response.write(rest.subarray(at, at += slice));
      if (at < rest.length) return;
      clearInterval(timer);
      response.end();
    }, pause);
    response.on('close', () => clearInterval(timer)).on('error', () => {});
  },
  silent: (): Fault => (request, response) => { request.on('close', () => response.destroy()); },
  compressed: (): Fault => (_, response, content) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end(content); },
};

export interface FakeFile { content: Buffer; large: boolean }

export class FakeHub {
  readonly asked: Asked[] = [];
  readonly files = new Map<string, FakeFile>();
  commit = 'c'.repeat(40);
  revisions = ['main'];
  /** Whether the API lists lengths and checksums, as the hub does and some mirrors do not. */
  lists: 'blobs' | 'names' | 'nothing' = 'blobs';
  /** The etag of small files: git's SHA-1 as at the hub, another name of the version as at some mirrors, or none. */
  etags: 'checksum' | 'version' | 'none' = 'checksum';
  /** Whether lengths are announced. */
  lengths = true;
  listFaults: Fault[] = [];
  /** Required as `Bearer <token>` when set. */
  token?: string;
  private readonly queued = new Map<string, Fault[]>();
  private readonly servers: http.Server[] = [];
  private origins: string[] = [];

  constructor(readonly repository = 'someone/net') {}

  get endpoint(): string { return this.origins[0]; }
  get storage(): string { return this.origins[1]; }

  put(path: string, content: Buffer | string, large = false): Buffer {
    const buffer = Buffer.from(content);
    this.files.set(path, { content: buffer, large });
    return buffer;
  }

  /** Faults for the next requests for this file's contents, at the hub for small ones and at the storage for large ones. */
  fail(path: string, ...next: Fault[]): void { this.queued.set(path, [...(this.queued.get(path) ?? []), ...next]); }

  /** Requests for a file's contents. */
  gets(path: string): Asked[] {
    const at = this.files.get(path)?.large ? 'storage' : 'hub';
    return this.asked.filter((one) => one.at === at && one.method === 'GET' && one.path.endsWith(`/${path}`));
  }

  async start(): Promise<this> {
    for (const at of ['hub', 'storage'] as const) {
      const server = http.createServer((request, response) => {
        const { authorization, range, 'if-range': ifRange } = request.headers, path = request.url!.split('?')[0];
        this.asked.push({ at, method: request.method!, path, range, ifRange: ifRange as string | undefined, authorization });
        if (at === 'hub') this.answer(request, response, path); else this.store(request, response, path);
      });
      await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
      this.servers.push(server);
      this.origins.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
    return this;
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    })));
  }

  private answer(request: http.IncomingMessage, response: Reply, path: string): void {
    const refuse = (status: number, code: string) => response.writeHead(status, { 'x-error-code': code, 'x-error-message': 'no' }).end();
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) return void refuse(401, 'RepoNotFound');
    const [, revision] = new RegExp(`^/api/models/${this.repository}/revision/([^/]+)$`).exec(path) ?? [];
    if (revision !== undefined) {
      const fault = this.listFaults.shift();
      if (fault) return fault(request, response, Buffer.alloc(0));
      if (this.lists === 'nothing') return void response.writeHead(404).end();
      if (![...this.revisions, this.commit].includes(decodeURIComponent(revision))) return void refuse(404, 'RevisionNotFound');
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(this.list()));
    }
    const [, at, name] = new RegExp(`^/${this.repository}/resolve/([^/]+)/(.+)$`).exec(path) ?? [];
    if (at === undefined) return void refuse(404, 'RepoNotFound');
    const file = this.files.get(decodeURIComponent(name));
    if (!file) return void (this.lists === 'nothing' ? response.writeHead(404).end() : refuse(404, 'EntryNotFound'));
    const { content, large } = file;
    if (large) {
      return void response.writeHead(302, {
        location: `${this.storage}/storage/${name}?signature=secret`, 'x-repo-commit': this.commit, 'x-linked-etag': `"${sha256(content)}"`,
        'x-linked-size': content.length,
      }).end();
    }
    const fault = request.method === 'GET' ? this.queued.get(name)?.shift() : undefined;
    if (fault) return fault(request, response, content);
    const etag = { checksum: gitSha1(content), version: `v-${sha256(content).slice(0, 10)}`, none: undefined }[this.etags];
    const headers = { 'x-repo-commit': this.commit, ...(etag && { etag: `"${etag}"` }) };
    if (this.lengths) serve(request, response, content, headers);
    else response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : content);
  }

  private store(request: http.IncomingMessage, response: Reply, path: string): void {
    const name = path.replace('/storage/', ''), file = this.files.get(name);
    if (!file || request.method !== 'GET') return void response.writeHead(403).end();
    const fault = this.queued.get(name)?.shift();
    if (fault) return fault(request, response, file.content);
    serve(request, response, file.content, { etag: `"storage-${sha256(file.content).slice(0, 8)}"` });
  }

  private list(): object {
    const siblings = [...this.files].map(([rfilename, { content, large }]) => {
      if (this.lists === 'names') return { rfilename };
      const lfs = large ? { lfs: { sha256: sha256(content), size: content.length, pointerSize: 134 } } : {};
      return { rfilename, size: content.length, blobId: gitSha1(large ? Buffer.from('pointer') : content), ...lfs };
    });
    return { id: this.repository, sha: this.commit, siblings };
  }
}

/** A hub with a small checkpoint and files that no one here needs. */
export async function hubWithCheckpoint(weights = bytes(300_000)): Promise<FakeHub> {
  const hub = new FakeHub();
  hub.put('README.md', '# A network');
  hub.put('.gitattributes', '*.safetensors filter=lfs');
  hub.put('config.json', '{"model_type": "vit"}\n');
  hub.put('vocab.json', '{"a": 0}');
  hub.put('tokenizer.json', bytes(5000, 3));
  hub.put('model.safetensors', weights, true);
  hub.put('pytorch_model.bin', bytes(1000, 4), true);
  hub.put('onnx/model.onnx', bytes(1000, 5), true);
  hub.put('onnx/config.json', '{}');
  hub.put('tf_model.h5', bytes(1000, 6), true);
  return hub.start();
}
