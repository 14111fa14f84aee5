import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { downloadCheckpoint, type DownloadOptions } from '../../../lib/weights';
import { withEnvironment } from '../../environment';
import { bytes, faults, FakeHub, gitSha1, hubWithCheckpoint, sha256 } from './fake-hub';

const wanted = ['config.json', 'tokenizer.json', 'vocab.json', 'model.safetensors'];

describe('downloadCheckpoint', () => {
  let hub: FakeHub, cache: string, notes: string[], restore: () => void;
  beforeEach(async () => {
    const variables = ['HF_TOKEN', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_ENDPOINT', 'HF_HUB_CACHE', 'HF_HOME'];
    restore = withEnvironment({ ...Object.fromEntries(variables.map((name) => [name, undefined])), HF_TOKEN_PATH: '/nowhere' });
    cache = fs.mkdtempSync(path.join(os.tmpdir(), 'download-'));
    hub = await hubWithCheckpoint();
    notes = [];
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
  const isWhole = () => { for (const name of wanted) assert.ok(read(name).equals(hub.files.get(name)!.content), name); };
  const leftovers = () => (fs.existsSync(at('blobs')) ? fs.readdirSync(at('blobs')) : []).filter((name) => name.includes('incomplete'));
  const fails = async (options: DownloadOptions, ...patterns: RegExp[]) => {
    const error = await download(options).then(() => assert.fail('expected an error'), (reason: Error) => reason);
    for (const pattern of patterns) assert.match(error.message, pattern);
    return error.message;
  };

  it('fetches what is needed and nothing else, into the hub\'s layout', async () => {
    const planned: number[] = [], files: string[] = [];
    let sum = 0;
    const done = await download({
      onPlan: ({ bytesToCome }) => planned.push(bytesToCome), onBytes: (count) => { sum += count; },
      onFile: ({ path: name, wasHere }) => files.push(`${name} ${wasHere}`),
    });
    isWhole();
    assert.deepEqual(fs.readdirSync(at('snapshots', hub.commit)).sort(), [...wanted].sort());
    assert.equal(fs.readlinkSync(at('snapshots', hub.commit, 'config.json')), `../../blobs/${gitSha1(read('config.json'))}`);
    const checksum = (name: string) => (name === 'model.safetensors' ? sha256 : gitSha1)(read(name));
    assert.deepEqual(fs.readdirSync(at('blobs')).sort(), wanted.map(checksum).sort());
    assert.equal(fs.readFileSync(at('refs', 'main'), 'utf8'), hub.commit);
    const total = wanted.reduce((all, name) => all + read(name).length, 0);
    assert.deepEqual([planned, sum, done.downloadedBytes], [[total], total, total]);
    assert.deepEqual(files, wanted.map((name) => `${name} false`));
    assert.equal(done.folder, at('snapshots', hub.commit));
    assert.deepEqual([done.repository, done.revision, done.commit], [hub.repository, 'main', hub.commit]);
    assert.deepEqual(done.files, wanted.map((name) => ({
      path: name, bytes: read(name).length, checksum: { algorithm: name === 'model.safetensors' ? 'sha256' : 'git-sha1', hex: checksum(name) },
    })));
    assert.deepEqual(notes, []);
  });

  it('fetches nothing twice, and only the changed file of a new commit', async () => {
    await download();
    const before = hub.asked.length;
    const again = await download();
    assert.deepEqual(hub.asked.slice(before).map(({ path: asked }) => asked), [`/api/models/${hub.repository}/revision/main`]);
    assert.equal(again.downloadedBytes, 0);
    const former = hub.commit;
    hub.commit = 'd'.repeat(40);
    hub.put('config.json', '{"model_type": "vit", "new": true}');
    const news = await download();
    isWhole();
    assert.equal(news.downloadedBytes, read('config.json').length);
    assert.equal(fs.readFileSync(at('refs', 'main'), 'utf8'), hub.commit);
    assert.equal(fs.readFileSync(at('snapshots', former, 'config.json'), 'utf8'), '{"model_type": "vit"}\n');
  });

  it('takes a branch with a slash and a commit', async () => {
    hub.revisions = ['refs/pr/3'];
    await download({ revision: 'refs/pr/3' });
    assert.equal(fs.readFileSync(at('refs', 'refs', 'pr', '3'), 'utf8'), hub.commit);
    await download({ revision: hub.commit });
    assert.deepEqual(fs.readdirSync(at('refs')), ['refs']);
    await fails({ revision: 'v9' }, /has no revision v9/);
    await fails({ revision: '../../x' }, /no branch, tag or commit/);
  });

  it('takes PyTorch weights where there are no safetensors, and all parts behind an index', async () => {
    hub.files.delete('model.safetensors');
    assert.deepEqual((await download()).files.map(({ path: name }) => name), [...wanted.slice(0, 3), 'pytorch_model.bin']);
    hub.commit = 'e'.repeat(40);
    const part = (n: number) => `model-0000${n}-of-00002.safetensors`;
    hub.put('model.safetensors.index.json', JSON.stringify({ weight_map: { a: part(1), b: part(2) } }));
    hub.put(part(2), bytes(2000, 8), true);
    await fails({}, /lacks model-00001-of-00002\.safetensors at main: it cannot be loaded/);
    hub.put(part(1), bytes(2000, 7), true);
    assert.deepEqual((await download()).files.map(({ path: name }) => name).slice(3), ['model.safetensors.index.json', part(1), part(2)]);
  });

  it('says so when there are no weights, or no config.json', async () => {
    hub.files.delete('config.json');
    await fails({}, /lacks config\.json at main/);
    assert.equal(fs.existsSync(at('refs')), false);
    for (const name of ['model.safetensors', 'pytorch_model.bin']) hub.files.delete(name);
    await fails({}, /holds no weights that can be read here .* it has .*tf_model\.h5/);
  });

  describe('when the connection is cut', () => {
    it('goes on where it stopped', async () => {
      hub.fail('model.safetensors', faults.cutAfter(100_000), faults.cutAfter(50_000));
      await download();
      isWhole();
      assert.deepEqual(hub.gets('model.safetensors').map(({ range }) => range), [undefined, 'bytes=100000-', 'bytes=150000-']);
      assert.equal(notes.length, 2);
      assert.match(notes[0], /model\.safetensors: .* cut the connection after 100000 bytes; trying again in 1 s/);
    });

    it('counts failures anew after progress, and gives up after six without', async () => {
      hub.fail('model.safetensors', ...Array.from({ length: 12 }, () => faults.cutAfter(10_000)));
      await download();
      isWhole();
      fs.rmSync(cache, { recursive: true });
      hub.fail('model.safetensors', faults.cutAfter(1000), ...Array.from({ length: 20 }, () => faults.cutAfter(0)));
      await fails({}, /gave up after 6 tries\. What has arrived is kept/);
      assert.deepEqual(leftovers().map((name) => fs.statSync(at('blobs', name)).size), [1000]);
      assert.equal(fs.existsSync(at('refs')), false);
    });

    it('goes on in a later run', async () => {
      hub.fail('model.safetensors', faults.cutAfter(123_456));
      await fails({ retry: { tries: 1 } }, /gave up after 1 tries/);
      const planned: number[] = [];
      const done = await download({ onPlan: ({ bytesToCome }) => planned.push(bytesToCome) });
      isWhole();
      assert.deepEqual(planned, [300_000 - 123_456]);
      assert.equal(done.downloadedBytes, 300_000 - 123_456);
      assert.equal(hub.gets('model.safetensors').at(-1)!.range, 'bytes=123456-');
      assert.deepEqual(leftovers(), []);
    });

    it('starts over when the server ignores ranges, or continues elsewhere', async () => {
      let sum = 0;
      hub.fail('model.safetensors', faults.cutAfter(100_000), faults.ignoreRange());
      await download({ onBytes: (count) => { sum += count; } });
      isWhole();
      assert.equal(sum, wanted.reduce((all, name) => all + read(name).length, 0));
      fs.rmSync(cache, { recursive: true });
      hub.fail('model.safetensors', faults.cutAfter(100_000), faults.wrongRange());
      await download();
      isWhole();
      assert.match(notes.at(-1)!, /does not continue at byte 100000/);
    });

    it('starts over with a part longer than the file, and finishes one that is whole', async () => {
      const weights = hub.files.get('model.safetensors')!.content, part = at('blobs', `${sha256(weights)}.incomplete`);
      fs.mkdirSync(at('blobs'), { recursive: true });
      fs.writeFileSync(part, bytes(400_000, 9));
      await download();
      isWhole();
      fs.rmSync(at('blobs', sha256(weights)));
      fs.writeFileSync(part, weights);
      const before = hub.gets('model.safetensors').length;
      await download();
      isWhole();
      assert.equal(hub.gets('model.safetensors').length, before);
    });

    it('does not put halves of two versions together', async () => {
      hub.fail('model.safetensors', faults.cutAfter(100_000));
      await fails({ retry: { tries: 1 } }, /gave up/);
      hub.commit = 'd'.repeat(40);
      hub.put('model.safetensors', bytes(300_000, 99), true);
      await download();
      isWhole();
      assert.equal(hub.gets('model.safetensors').at(-1)!.range, undefined);
    });

    it('treats silence as a cut', async () => {
      hub.fail('model.safetensors', faults.silent());
      await download({ silence: 100 });
      isWhole();
      assert.match(notes[0], /sent nothing for 0\.1 seconds/);
    });
  });

  describe('when contents are wrong', () => {
    it('fetches a file with a wrong checksum once more', async () => {
      const names = ['tokenizer.json', 'model.safetensors'];
      for (const name of names) hub.fail(name, faults.corrupt());
      await download();
      isWhole();
      assert.deepEqual(notes, names.map((name) => `${name} does not have the checksum that the hub lists: downloading it once more`));
    });

    it('stops at the second time, and keeps nothing of it', async () => {
      hub.fail('model.safetensors', faults.corrupt(), faults.corrupt());
      await fails({}, /model\.safetensors arrived twice with other contents .* \(sha256 is not [0-9a-f]{12}…\)/);
      assert.deepEqual(leftovers(), []);
      assert.equal(fs.existsSync(at('snapshots', hub.commit, 'model.safetensors')), false);
    });

    it('finds out a damaged part from an earlier run', async () => {
      const weights = hub.files.get('model.safetensors')!.content;
      fs.mkdirSync(at('blobs'), { recursive: true });
      fs.writeFileSync(at('blobs', `${sha256(weights)}.incomplete`), bytes(100_000, 50));
      await download();
      isWhole();
    });

    it('fetches a blob of another length again', async () => {
      await download();
      fs.truncateSync(at('blobs', sha256(read('model.safetensors'))), 10);
      await download();
      isWhole();
    });

    it('refuses another length than the list\'s, shorter or longer', async () => {
      for (const length of [299_999, 300_001]) {
        hub.fail('model.safetensors', faults.announce(length));
        await fails({}, new RegExp(`announces ${length} bytes of model\\.safetensors, which the hub lists with 300000`));
      }
    });

    it('stops an endless body at the announced length', async () => {
      hub.fail('model.safetensors', faults.endless());
      await fails({}, /announced 300000 bytes of model\.safetensors and sends more than 300000: stopped/);
      assert.deepEqual(leftovers(), []);
      hub.listFaults.push(faults.endless());
      await fails({}, /answers with more than the allowed 50000000 bytes/);
    }).timeout(20_000);

    it('refuses a compressed answer', async () => {
      hub.fail('config.json', faults.compressed());
      await fails({}, /sent compressed \(gzip\)/);
    });
  });

  describe('when the server refuses', () => {
    it('says what 401, 403 and 404 mean, with and without a token', async () => {
      hub.token = 'right';
      await fails({}, /someone\/net was not found at http:\/\/127\.0\.0\.1:\d+ \(401\): check the name; a private one needs a token/);
      const said = await fails({ token: 'wrong-token' }, /the token is not valid, or its account may not see it/);
      assert.equal(said.includes('wrong-token'), false);
      await download({ token: 'right' });
      hub.token = undefined;
      const refused: [number, Record<string, string>, RegExp][] = [
        [401, { 'x-error-code': 'GatedRepo' }, /only to those who accepted its terms: accept them at http.*someone\/net, then give a token/],
        [403, { 'x-error-message': 'Access to model is restricted' }, /accepted its terms.*the server says: Access/],
        [403, {}, /refuses someone\/net \(403\)/],
        [404, { 'x-error-code': 'RepoNotFound' }, /was not found/],
        [404, {}, /was not found/],
        [418, {}, /answers 418, which was not expected/],
      ];
      for (const [status, headers, message] of refused) {
        hub.listFaults.push(faults.status(status, headers));
        await fails({ token: undefined }, message);
      }
      hub.listFaults.push(faults.status(403, { 'x-error-code': 'GatedRepo' }));
      await fails({ token: 'right' }, /accept them at http.* with the account of your token/);
    });

    it('says which file is refused', async () => {
      hub.fail('config.json', faults.status(404));
      await fails({}, /someone\/net has no file config\.json at revision c{40}/);
      hub.fail('config.json', faults.status(403));
      await fails({}, /refuses someone\/net \(403\)/);
    });

    it('waits as long as the server asks, on 429 and 503, for the list and for files', async () => {
      hub.listFaults.push(faults.status(429, { 'retry-after': '1' }));
      hub.fail('model.safetensors', faults.status(503, { 'retry-after': new Date(Date.now() + 2500).toUTCString() }), faults.status(500));
      const start = Date.now();
      await download();
      isWhole();
      assert.ok(Date.now() - start >= 1000, String(Date.now() - start));
      assert.match(notes.join('\n'), /model\.safetensors: .* answers 503; trying again/);
    });

    it('does not wait for hours', async () => {
      hub.listFaults.push(faults.status(429, { 'retry-after': '4000' }));
      await fails({}, /answers 429 and asks to wait 4000 seconds/);
    });

    it('gives up on a server that keeps failing', async () => {
      hub.listFaults.push(...Array.from({ length: 6 }, () => faults.status(502)));
      await fails({}, /answers 502; gave up after 6 tries/);
    });

    it('says when it is no hub that answers', async () => {
      const bodies: [string, RegExp][] = [
        ['<html>Log in</html>', /it is not JSON/], ['{}', /sha: /], ['{"sha": "main", "siblings": []}', /sha: is no commit/],
      ];
      for (const [body, why] of bodies) {
        hub.listFaults.push(faults.status(200, {}, body));
        await fails({}, /answers with no list of files/, why);
      }
    });

    it('says when nobody answers', async () => {
      const { endpoint } = hub;
      await fails({ endpoint: endpoint.replace('http', 'https') }, /127\.0\.0\.1:\d+ does not speak https/);
      await hub.stop();
      await fails({ endpoint }, /127\.0\.0\.1:\d+: ECONNREFUSED; gave up after 6 tries/);
      assert.match(notes[0], /ECONNREFUSED; trying again in 1 s/);
    });
  });

  describe('redirects', () => {
    it('never take the token to another host', async () => {
      hub.token = 'hf_secret';
      await download({ token: 'hf_secret' });
      isWhole();
      const [hubs, storages] = (['hub', 'storage'] as const).map((place) => hub.asked.filter((one) => one.at === place));
      const sent = (requests: typeof hubs) => [...new Set(requests.map(({ authorization }) => authorization))];
      assert.deepEqual([sent(hubs), sent(storages)], [['Bearer hf_secret'], [undefined]]);
    });

    it('are refused to addresses with a password', async () => {
      hub.listFaults.push(faults.redirect('http://user:password@127.0.0.1:1/'));
      const said = await fails({}, /redirects to an address with a password in it/);
      assert.equal(said.includes('user:password'), false);
    });

    it('are followed on the same host', async () => {
      hub.listFaults.push(faults.redirect(`/api/models/${hub.repository}/revision/${hub.commit}?blobs=true`, 307));
      await download();
      isWhole();
    });

    it('are refused to other schemes, without their query', async () => {
      for (const location of ['file:///etc/passwd', 'ftp://example.org/x', 'data:text/plain,x']) {
        hub.fail('config.json', faults.redirect(`${location}?signature=hidden`));
        const said = await fails({}, /redirects to .* which is not https: refused/);
        assert.equal(said.includes('hidden'), false);
      }
      hub.fail('config.json', faults.redirect('http://'));
      await fails({}, /redirects to what is no address/);
    });

    it('end after ten', async () => {
      hub.listFaults.push(...Array.from({ length: 20 }, () => faults.redirect(`/api/models/${hub.repository}/revision/main`)));
      await fails({}, /redirects more than 10 times/);
    });
  });

  it('refuses names of files that lead out of the folder', async () => {
    for (const name of ['../../evil.json', '/etc/cron.d/evil', 'a/../../b', '..\\evil', 'con\nfig.json', 'a//b', 'C:evil']) {
      const siblings = [{ rfilename: 'config.json' }, { rfilename: name }];
      hub.listFaults.push(faults.status(200, {}, JSON.stringify({ sha: hub.commit, siblings })));
      await fails({}, /which would lie outside its folder: nothing was downloaded/);
    }
    assert.deepEqual(fs.readdirSync(cache), []);
  });

  describe('from a mirror', () => {
    it('that lists names only: asks for length and checksum of each', async () => {
      hub.lists = 'names';
      hub.fail('model.safetensors', faults.cutAfter(1000));
      const done = await download();
      isWhole();
      assert.deepEqual(done.files.at(-1)!.checksum, { algorithm: 'sha256', hex: sha256(read('model.safetensors')) });
      assert.equal(hub.asked.filter(({ method }) => method === 'HEAD').length, wanted.length);
    });

    describe('without checksums', () => {
      const weights = 'model.safetensors';
      beforeEach(() => {
        hub.lists = 'names';
        hub.etags = 'version';
        hub.put(weights, bytes(300_000), false);
      });

      it('goes on with the same version only, in this run and in the next', async () => {
        hub.fail(weights, faults.cutAfter(100_000));
        const done = await download();
        isWhole();
        assert.equal(done.files.at(-1)!.checksum, null);
        const { range, ifRange } = hub.gets(weights).at(-1)!;
        assert.deepEqual([range, ifRange], ['bytes=100000-', `"v-${sha256(read(weights)).slice(0, 10)}"`]);
        fs.rmSync(cache, { recursive: true });
        hub.fail(weights, faults.cutAfter(120_000));
        await fails({ retry: { tries: 1 } }, /gave up/);
        await download();
        isWhole();
        assert.equal(hub.gets(weights).at(-1)!.range, 'bytes=120000-');
      });

      it('starts over when the file changes between two tries', async () => {
        hub.fail(weights, (request, response, content) => {
          faults.cutAfter(100_000)(request, response, content);
          hub.put(weights, bytes(300_000, 123), false);
        });
        await download();
        isWhole();
        assert.equal(hub.gets(weights).at(-1)!.range, 'bytes=100000-');
      });

      it('starts over without a version too', async () => {
        hub.etags = 'none';
        hub.fail(weights, faults.cutAfter(100_000));
        await download();
        isWhole();
        assert.deepEqual(hub.gets(weights).map(({ range }) => range), [undefined, undefined]);
      });

      it('reads a file of unannounced length to its end, but not for ever', async () => {
        hub.lengths = false;
        await download();
        isWhole();
        fs.rmSync(cache, { recursive: true });
        hub.fail(weights, faults.endless());
        await fails({}, /says no length of model\.safetensors and sends more than 67108864/);
      }).timeout(30_000);
    });

    it('that has no list: asks for the files that the registry knows', async () => {
      const mirror = new FakeHub('WinKawaks/vit-small-patch16-224');
      mirror.lists = 'nothing';
      mirror.put('config.json', '{"model_type": "vit"}');
      mirror.put('model.safetensors', bytes(1000), true);
      await mirror.start();
      try {
        // No preprocessor_config.json there: what is not needed may be absent.
        const done = await download({ endpoint: mirror.endpoint }, 'vit-small');
        assert.deepEqual(done.files.map(({ path: name }) => name), ['config.json', 'model.safetensors']);
        assert.equal(done.commit, mirror.commit);
        mirror.files.delete('config.json');
        await assert.rejects(download({ endpoint: mirror.endpoint }, 'vit-small'), /WinKawaks\/vit-small-patch16-224 was not found/);
      } finally { await mirror.stop(); }
    });
  });

  describe('without a server', () => {
    it('uses the cache when asked to, and only then', async () => {
      await fails({ offline: true }, /someone\/net at main is not in .*, and no server may be asked/);
      const online = await download();
      const before = hub.asked.length, offline = await download({ offline: true });
      assert.equal(hub.asked.length, before);
      assert.deepEqual(offline, { ...online, downloadedBytes: 0 });
      process.env.HF_HUB_OFFLINE = '1';
      assert.equal((await download()).folder, online.folder);
      fs.rmSync(at('snapshots', hub.commit, 'model.safetensors'));
      await fails({}, /or only in part, and no server may be asked/);
    });

    it('uses the cache when the hub cannot be reached, and says so', async () => {
      const online = await download(), { endpoint } = hub;
      await hub.stop();
      assert.deepEqual(await download({ endpoint }), { ...online, downloadedBytes: 0 });
      assert.match(notes.at(-1)!, /ECONNREFUSED; gave up after 2 tries.*may be older than the hub's/);
    });

    it('does not hide a refusal behind the cache', async () => {
      await download();
      hub.listFaults.push(faults.status(404, { 'x-error-code': 'RepoNotFound' }));
      await fails({}, /was not found/);
    });
  });

  it('refuses names that are none, and endpoints that would betray a token', async () => {
    await assert.rejects(download({}, 'vit-smal'), /no checkpoint "vit-smal" in the registry\. Did you mean vit-small/);
    for (const name of ['', 'a/b/c', '../x', 'a--b/c', 'x/..', '/x', 'http://a/b']) {
      await assert.rejects(download({}, name), /Expected one of its names/, name);
    }
    await fails({ endpoint: 'http://mirror.example', token: 'hf_secret' }, /not https, so anyone on the way could read your token/);
    for (const endpoint of ['nonsense', 'ftp://x', 'https://user:pass@x', 'https://x/?a=1']) {
      const said = await fails({ endpoint }, /The endpoint \(--endpoint or HF_ENDPOINT\)/);
      assert.equal(said.includes('user:pass'), false);
    }
    const said = await fails({ token: 'two words' }, /The token .* copy it again/);
    assert.equal(said.includes('two words'), false);
  });

  it('says so before the first byte when the disk is too small', async () => {
    const huge = { rfilename: 'model.safetensors', size: 9e15, lfs: { sha256: 'f'.repeat(64), size: 9e15 } };
    const config = { rfilename: 'config.json', size: 22, blobId: gitSha1(hub.files.get('config.json')!.content) };
    hub.listFaults.push(faults.status(200, {}, JSON.stringify({ sha: hub.commit, siblings: [config, huge] })));
    await fails({}, /9000 TB are to come and .* has .* left: free some space, or set HF_HOME/);
    assert.equal(hub.gets('config.json').length, 0);
  });

  it('says which folder cannot be written', async () => {
    fs.writeFileSync(path.join(cache, 'file'), '');
    await fails({ cache: path.join(cache, 'file') }, /file cannot be written .*set HF_HOME to another folder/);
  });
});
