import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { FeatureCache } from '../../lib/training';

const ids = ['a', 'b', 'c', 'd', 'e'];

describe('FeatureCache', () => {
  let folder: string, computed: number[];
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'features-')); computed = []; });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  /** Row i holds i.0, i.1, i.2; two rows at a time. */
  async function* compute(from: number, failAt = Infinity): AsyncGenerator<Float32Array> {
    for (let i = from; i < ids.length; i += 2) {
      if (i >= failAt) throw new Error('the encoder broke');
      const rows = ids.slice(i, i + 2).map((_, j) => i + j);
      computed.push(...rows);
      yield Float32Array.from(rows.flatMap((row) => [row, row + 0.1, row + 0.2]));
    }
  }
  const open = (more: Partial<Parameters<typeof FeatureCache.open>[0]> = {}) =>
    FeatureCache.open({ folder, name: 'test', fingerprint: 'weights-1', shape: [1, 3], ids, compute: (from) => compute(from), ...more });

  it('computes once, then reads rows in any order', async () => {
    (await open()).close();
    const cache = await open();
    assert.deepEqual(computed, [0, 1, 2, 3, 4]);
    assert.deepEqual(Array.from(cache.read(['d', 'a', 'd'])), Array.from(Float32Array.of(3, 3.1, 3.2, 0, 0.1, 0.2, 3, 3.1, 3.2)));
    assert.throws(() => cache.read(['z']), /no features of "z"/);
    cache.close();
  });

  it('goes on where a cut-off run stopped, also in the middle of a row', async () => {
    await assert.rejects(open({ compute: (from) => compute(from, 4) }), /the encoder broke/);
    const partial = path.join(folder, fs.readdirSync(folder).find((name) => name.endsWith('.partial'))!);
    fs.truncateSync(partial, fs.statSync(partial).size - 5);
    const cache = await open();
    assert.deepEqual(computed, [0, 1, 2, 3, 3, 4]);
    assert.deepEqual(Array.from(cache.read(ids)), Array.from(Float32Array.from(ids.flatMap((_, i) => [i, i + 0.1, i + 0.2]))));
    cache.close();
  });

  it('computes anew for other weights or other pictures', async () => {
    (await open()).close();
    (await open({ fingerprint: 'weights-2' })).close();
    assert.equal(computed.length, 10);
  });

  it('drops a damaged cache and says so; the next run mends it', async () => {
    const first = await open();
    first.close();
    fs.truncateSync(first.file, 10);
    await assert.rejects(open(), /damaged \(10 bytes instead of 60\)/);
    (await open()).close();
    assert.equal(computed.length, 10);
  });

  it('finds values that have changed on the disk, naming the picture; the next run mends them', async () => {
    const first = await open();
    first.close();
    const bytes = fs.readFileSync(first.file);
    bytes[30] ^= 1;
    fs.writeFileSync(first.file, bytes);
    const cache = await open();
    assert.equal(cache.read(['b'])[0], 1);
    assert.throws(() => cache.read(['b', 'c']), /the features of "c" are damaged; .*run this again/);
    cache.close();
    const mended = await open();
    assert.equal(computed.length, 10);
    assert.deepEqual(Array.from(mended.read(['c'])), Array.from(Float32Array.of(2, 2.1, 2.2)));
    mended.close();
  });

  it('reads a cache from before there were checksums', async () => {
    const first = await open(), header = first.file.replace('.f32', '.json');
    first.close();
    const { checksums, ...rest } = JSON.parse(fs.readFileSync(header, 'utf8')) as Record<string, unknown>;
    assert.deepEqual((checksums as number[]).length, 5);
    fs.writeFileSync(header, JSON.stringify(rest));
    const cache = await open();
    assert.equal(cache.read(['e'])[0], 4);
    assert.equal(computed.length, 5);
    cache.close();
  });

  it('refuses an encoder that gives too few, too many or broken rows', async () => {
    const give = (...sizes: number[]) => async function* () { for (const n of sizes) yield new Float32Array(n); };
    await assert.rejects(open({ compute: give(6) }), /stopped after 2 of 5/);
    await assert.rejects(open({ fingerprint: 'x', compute: give(7) }), /not a whole number/);
    await assert.rejects(open({ fingerprint: 'y', compute: give(18) }), /not a whole number/);
  });

  it('stops at the signal and keeps what it has', async () => {
    const controller = new AbortController();
    await assert.rejects(open({ signal: controller.signal, onProgress: (done) => { if (done === 2) controller.abort(); } }), /abort/i);
    (await open()).close();
    assert.deepEqual(computed, [0, 1, 2, 3, 2, 3, 4]);
  });
});
