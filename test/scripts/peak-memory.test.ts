import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { peakMemory, resetPeakMemory } from '../../scripts/peak-memory';

const MEBI = 2 ** 20;

describe('peakMemory', () => {
  it('knows what was held and is held no more, until it is told to begin anew', async function () {
    if (!fs.existsSync('/proc/self/clear_refs')) return this.skip();
    resetPeakMemory();
    const before = peakMemory();
    // What a thread holds is given back for certain when it ends; meanwhile others may give some back.
    await once(new Worker(`new Uint8Array(${200 * MEBI}).fill(1);`, { eval: true }), 'exit');
    const during = peakMemory() - before;
    assert.ok(during >= 150 * MEBI, `${during / MEBI} MiB more`);
    resetPeakMemory();
    const after = peakMemory() - before;
    assert.ok(after < 100 * MEBI, `${after / MEBI} MiB more`);
  });
});
