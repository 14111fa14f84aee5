import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageError, ImageLoader, ImageProcessor } from '../../lib/images';
import { FIXTURES } from './fixtures';

const ROOT = join(__dirname, '..', '..');

describe('ImageLoader', () => {
  const processor = new ImageProcessor({ size: { height: 6, width: 5 }, resample: 'bicubic' });
  const names = ['noise-37x23.png', 'noise-16x45.png', 'drawing-90x60.png', 'rgb.jpg', 'grey.png', 'rgba.png', 'lossless.webp'];
  const files = names.map((name) => join(FIXTURES, name));
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'loader-'));
    writeFileSync(join(folder, 'empty.jpg'), '');
    writeFileSync(join(folder, 'cut.png'), readFileSync(files[0]).subarray(0, 400));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function collect(loader: ImageLoader) {
    const batches = [];
    for await (const batch of loader) batches.push(batch);
    return batches;
  }

  it('gives what the processor gives, in order, whatever the threads and the read-ahead', async () => {
    const expected = await processor.batch(files);
    for (const [threads, readAhead, batchSize] of [[1, 0, 3], [2, 2, 2], [3, 5, 1], [2, 1, 100]]) {
      const batches = await collect(new ImageLoader(files, processor, { threads, readAhead, batchSize }));
      assert.deepEqual(batches.flatMap((batch) => batch.indices), [0, 1, 2, 3, 4, 5, 6]);
      assert.deepEqual(batches.flatMap((batch) => [...batch.data]), [...expected.data]);
      for (const { shape, indices } of batches) assert.deepEqual(shape, [indices.length, 6, 5, 3]);
    }
  });

  it('can be iterated again, by several at once, and over bytes', async () => {
    const loader = new ImageLoader(files.map((file) => readFileSync(file)), processor, { batchSize: 4 });
    const [first, second] = await Promise.all([collect(loader), collect(loader)]);
    assert.deepEqual(first, second);
    assert.deepEqual(await collect(loader), first);
  });

  it('counts its batches', async () => {
    assert.equal(new ImageLoader(files, processor, { batchSize: 4 }).length, 2);
    const loader = new ImageLoader(files, processor, { batchSize: 4, dropLast: true });
    assert.equal(loader.length, 1);
    assert.equal((await collect(loader)).length, 1);
    assert.deepEqual(await collect(new ImageLoader([], processor)), []);
  });

  it('reads no further ahead than told', async () => {
    // A file that appears later is only found if it is not asked for before its time.
    const late = join(folder, 'late.png');
    const sources = [files[0], files[1], late];
    const batches = new ImageLoader(sources, processor, { batchSize: 1, readAhead: 1 })[Symbol.asyncIterator]();
    await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 30));
    writeFileSync(late, readFileSync(files[2]));
    assert.equal((await batches.next()).done, false);
    assert.deepEqual((await batches.next()).value?.indices, [2]);
  });

  it('prepares the next batches while the main thread is busy', async () => {
    const many = Array.from({ length: 12 }, (_, i) => files[i % 3]);
    const iterator = new ImageLoader(many, new ImageProcessor(), { batchSize: 4, readAhead: 2, threads: 2 })[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((resolve) => setImmediate(resolve));
    const until = Date.now() + 150;
    while (Date.now() < until);
    const before = performance.now();
    await iterator.next();
    const waited = performance.now() - before;
    assert.ok(waited < 100, `waited ${waited} ms for a batch that had 150 ms to be prepared`);
    await iterator.return();
  });

  it('throws an error that names the picture', async () => {
    const bad = join(folder, 'empty.jpg');
    await assert.rejects(collect(new ImageLoader([files[0], bad, files[1]], processor)), (error: unknown) => {
      assert.ok(error instanceof ImageError);
      assert.equal(error.file, bad);
      assert.match(error.message, /empty/);
      return true;
    });
  });

  it('skips and counts bad pictures when asked to', async () => {
    const bad = [join(folder, 'empty.jpg'), join(folder, 'cut.png'), join(folder, 'nowhere.png')];
    const sources = [files[0], bad[0], files[1], bad[1], bad[2], bad[2], files[2]];
    const loader = new ImageLoader(sources, processor, { batchSize: 2, onBadImage: 'skip' });
    const batches = await collect(loader);
    assert.deepEqual(batches.map((batch) => batch.indices), [[0], [2], [6]]);
    assert.deepEqual(batches.map((batch) => batch.shape[0]), [1, 1, 1]);
    assert.deepEqual(loader.skipped.map((error) => error.file), [bad[0], bad[1], bad[2], bad[2]]);
    await collect(loader);
    assert.equal(loader.skipped.length, 4, 'a second pass does not count them again');
  });

  it('refuses pictures of different sizes in a batch', async () => {
    const loader = new ImageLoader(files, new ImageProcessor({ size: { shortestEdge: 8 } }));
    await assert.rejects(collect(loader), /set cropSize/);
  });

  it('refuses options that make no sense', () => {
    assert.throws(() => new ImageLoader(files, processor, { batchSize: 0 }), /batchSize is 0/);
    assert.throws(() => new ImageLoader(files, processor, { threads: 1.5 }), /threads is 1.5/);
  });

  describe('leaves no process hanging', () => {
    const compiled = join(ROOT, 'lib', 'dist', 'images', 'index.js');
    const script = (library: string, body: string) => `
      const { ImageLoader, ImageProcessor } = require(${JSON.stringify(library)});
      (async () => {
        const files = Array(40).fill(${JSON.stringify(files[2])});
        const loader = new ImageLoader(files, new ImageProcessor({ size: { height: 64, width: 64 } }), { batchSize: 4 });
        ${body}
      })();`;
    const bodies = {
      'when iterated to the end': 'let n = 0; for await (const batch of loader) n += batch.shape[0]; console.log(n);',
      'when left early': 'for await (const batch of loader) { console.log(40); break; }',
      'when abandoned': 'await loader[Symbol.asyncIterator]().next(); console.log(40);',
      'with threads that had nothing to do':
        'for await (const { shape } of new ImageLoader(files, loader.processor, { batchSize: 64, threads: 3 })) console.log(shape[0]);',
    };
    for (const [when, body] of Object.entries(bodies)) {
      it(`${when}, from the sources`, () => {
        const arguments_ = ['--require', require.resolve('tsx/cjs'), '-e', script(join(ROOT, 'lib', 'images', 'index.ts'), body)];
        const run = spawnSync(process.execPath, arguments_, { encoding: 'utf8', timeout: 20_000 });
        assert.equal(run.stdout.trim(), '40', run.stderr);
        assert.equal(run.status, 0);
      });
      it(`${when}, compiled`, function () {
        if (!existsSync(compiled)) return this.skip();
        const output = execFileSync(process.execPath, ['-e', script(compiled, body)], { encoding: 'utf8', timeout: 20_000 });
        assert.equal(output.trim(), '40');
      });
    }
  });
});
