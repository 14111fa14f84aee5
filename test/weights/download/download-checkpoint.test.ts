import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { downloadBench, wanted } from './download-bench';
import { bytes, type FakeHub, faults, gitSha1, sha256 } from './fake-hub';

describe('downloadCheckpoint', () => {
  let hub: FakeHub, cache: string, notes: string[];
  const { download, at, read, isWhole, leftovers, fails } = downloadBench((bench) => { ({ hub, cache, notes } = bench); });

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
});
