import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { downloadBench, wanted } from './download-bench';
import { bytes, FakeHub, faults, gitSha1, sha256 } from './fake-hub';

describe('downloadCheckpoint from servers and names that are not as they should be', () => {
  let hub: FakeHub, cache: string, notes: string[];
  const { download, at, read, isWhole, fails } = downloadBench((bench) => { ({ hub, cache, notes } = bench); });

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
