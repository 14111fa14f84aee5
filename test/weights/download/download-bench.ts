/** A fake hub and an empty cache for each test of a download, and ways to look at what came of it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { downloadCheckpoint, type DownloadOptions } from '../../../lib/weights';
import { withEnvironment } from '../../environment';
import { hubWithCheckpoint, type FakeHub } from './fake-hub';

export interface Bench { hub: FakeHub; cache: string; notes: string[] }

/** The files of `hubWithCheckpoint` that a download brings, in its order. */
export const wanted = ['config.json', 'tokenizer.json', 'vocab.json', 'model.safetensors'];

/** Registers hooks; `each` gets the hub, the cache's folder and the notes told, anew for each test. */
export function downloadBench(each: (bench: Bench) => void) {
  let hub: FakeHub, cache: string, notes: string[], restore: () => void;
  beforeEach(async () => {
    const variables = ['HF_TOKEN', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_ENDPOINT', 'HF_HUB_CACHE', 'HF_HOME'];
    restore = withEnvironment({ ...Object.fromEntries(variables.map((name) => [name, undefined])), HF_TOKEN_PATH: '/nowhere' });
    cache = fs.mkdtempSync(path.join(os.tmpdir(), 'download-'));
    hub = await hubWithCheckpoint();
    notes = [];
    each({ hub, cache, notes });
  });
  afterEach(async () => {
    await hub.stop();
    restore();
    fs.rmSync(cache, { recursive: true, force: true });
  });

  const download = (options: DownloadOptions = {}, name = hub.repository) => downloadCheckpoint(name, {
    endpoint: hub.endpoint, cache, retry: { firstWait: 1 }, silence: 500, onNote: (note) => notes.push(note), ...options,
  });
  const at = (...parts: string[]) => path.join(cache, 'models--someone--net', ...parts);
  const read = (name: string) => fs.readFileSync(at('snapshots', hub.commit, name));
  return {
    download, at, read,
    isWhole() { for (const name of wanted) assert.ok(read(name).equals(hub.files.get(name)!.content), name); },
    leftovers: () => (fs.existsSync(at('blobs')) ? fs.readdirSync(at('blobs')) : []).filter((name) => name.includes('incomplete')),
    /** Expects a refusal whose message matches. */
    async fails(options: DownloadOptions, ...patterns: RegExp[]): Promise<string> {
      const error = await download(options).then(() => assert.fail('expected an error'), (reason: Error) => reason);
      for (const pattern of patterns) assert.match(error.message, pattern);
      return error.message;
    },
  };
}
