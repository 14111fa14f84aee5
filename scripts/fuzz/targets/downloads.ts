/** The download client, before a server on this machine whose list, headers and contents are damaged. */
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { downloadCheckpoint } from '../../../lib/weights';
import { gitSha1, sha256 } from '../../../test/weights/download/fake-hub';
import { must, type FuzzTarget } from '../target';

const commit = 'c'.repeat(40), config = Buffer.from('{"model_type": "vit"}\n'), weights = Buffer.from('weights '.repeat(200));
const list = { id: 'someone/net', sha: commit, siblings: [{ rfilename: 'config.json', size: config.length, blobId: gitSha1(config) },
  { rfilename: 'model.safetensors', size: weights.length, blobId: gitSha1(config), lfs: { sha256: sha256(weights), size: weights.length,
    pointerSize: 134 } }] };
const headers = {
  list: { 'content-type': 'application/json' },
  'config.json': { status: 200, etag: `"${gitSha1(config)}"`, 'x-repo-commit': commit, 'content-length': String(config.length) },
  'model.safetensors': { status: 302, location: '/storage/model.safetensors?signature=secret', 'x-linked-etag': `"${sha256(weights)}"`,
    'x-linked-size': String(weights.length) },
  storage: { status: 200, 'content-length': String(weights.length) },
};

let served = '', endpoint: Promise<string> | undefined;

/** Answers as the folder has it: `headers.json` says status and headers of each answer, the other files are the bodies. */
function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  request.on('error', () => {});
  response.on('error', () => {});
  const place = request.url!.split('?')[0], name = place.startsWith('/api/') ? 'list' : place.startsWith('/storage/') ? 'storage'
    : path.basename(place);
  try {
    const all = JSON.parse(fs.readFileSync(path.join(served, 'headers.json'), 'utf8')) as Record<string, Record<string,
      unknown> | undefined>;
    const { status = 200, ...own } = all[name] ?? {};
    for (const [header, value] of Object.entries(own)) {
      try { response.setHeader(header, String(value).slice(0, 8000)); } catch { /* Node itself sends no such header. */ }
    }
    response.statusCode = Number.isInteger(status) && (status as number) >= 200 && (status as number) < 600 ? status as number : 500;
    const body = fs.readFileSync(path.join(served, name === 'list' ? 'list.json' : name === 'storage' ? 'model.safetensors' : name));
    response.end(request.method === 'HEAD' ? undefined : body);
  } catch {
    response.destroy();
  }
}

const start = (): Promise<string> => endpoint ??= new Promise((resolve) => {
  const server = http.createServer(answer).listen(0, '127.0.0.1', () => {
    server.unref();
    resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
});

export const downloadTargets: readonly FuzzTarget[] = [{
  name: 'download',
  seeds: () => [{ 'list.json': Buffer.from(JSON.stringify(list)), 'headers.json': Buffer.from(JSON.stringify(headers)),
    'config.json': config, 'model.safetensors': weights }],
  read: async (folder) => {
    served = folder;
    const cache = path.join(folder, 'cache'), options = { cache, endpoint: await start(), token: 'hf_secret', retry: { tries: 1,
      firstWait: 1 }, silence: 300 };
    let said = '';
    try {
      const done = await downloadCheckpoint('someone/net', { ...options, onNote: (text) => { said += text; } });
      must(path.resolve(done.folder).startsWith(cache), `${done.folder} is outside the cache`);
      for (const { path: name, bytes, checksum } of done.files) {
        const file = fs.readFileSync(path.join(done.folder, name));
        must(file.length === bytes, `${name} has another length than was said`);
        must(!checksum || checksum.hex === (checksum.algorithm === 'sha256' ? sha256(file) : gitSha1(file)),
          `${name} does not have its checksum`);
      }
    } catch (error) {
      said += (error as Error).message;
      // It speaks of addresses and repositories, as there are no files yet.
      if ((error as Error).name.endsWith('Error')
        && /someone\/net|127\.0\.0\.1|^The server/.test(said)) (error as Error).message += ' (list.json)';
      throw error;
    } finally {
      must(!/hf_secret|signature/.test(said), `a secret was said: ${said.slice(0, 300)}`);
      must(fs.readdirSync(folder).every((name) => name === 'cache' || name.includes('.')), 'a file outside the cache');
    }
  },
}];
