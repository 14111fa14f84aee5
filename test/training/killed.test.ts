import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { hasFastBfloat16, Random, type Precision } from '../../lib/engine';
import { keptEpochs } from '../../lib/training';
import { findCheckpoint, readState } from '../../lib/training/checkpoint';
import { run } from './killed-run';

/** Moments at which the float32 run is killed: `KILLS=20 npx mocha …` for more. */
const KILLS = Number(process.env.KILLS ?? 2);

/** A half-written checkpoint, pointer or history. */
const isHalf = (name: string): boolean => name.endsWith('.tmp');

/**
 * Starts the run as a program and kills it without a chance to tidy up: so many milliseconds after its first step, or when it begins to write
 * that checkpoint of the run. Undefined where it ended before that.
 */
function kill(folder: string, precision: Precision, at: { delay: number } | { write: number }): Promise<{ inWrite: boolean; warned: string } | undefined> {
  const program = ['-r', 'tsx/cjs', path.join(__dirname, 'killed-run.ts'), folder, precision];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => { child.kill('SIGKILL'); };
  const writes = new Set<string>();
  const watcher = 'write' in at ? fs.watch(folder, (_, name) => {
    if (name?.startsWith('.') && isHalf(name) && writes.add(name).size >= at.write) end();
  }) : undefined;
  return new Promise((resolve, reject) => {
    let warned = '', started = false;
    child.stderr.on('data', (text: Buffer) => { warned += String(text); });
    child.stdout.on('data', () => {
      if (!started && 'delay' in at) setTimeout(end, at.delay);
      started = true;
    });
    child.on('close', (code, signal) => {
      watcher?.close();
      if (signal === 'SIGKILL') resolve({ inWrite: fs.readdirSync(folder).some(isHalf), warned });
      else if (code === 0) resolve(undefined);
      else reject(new Error(`ended with ${code ?? signal}: ${warned}`));
    });
  });
}

describe('a run that is killed', function suite() {
  this.timeout(120_000 + KILLS * 15_000);
  let work: string;
  beforeEach(() => { work = fs.mkdtempSync(path.join(os.tmpdir(), 'killed-')); });
  afterEach(() => { fs.rmSync(work, { recursive: true, force: true }); });

  it(`at ${KILLS} moments drawn at random, writes of checkpoints included, and resumed, ends bit-identical to an uninterrupted one`, async () => {
    const whole = await run(), random = new Random(2026), tally = { kills: 0, inWrites: 0, runs: 0, ended: 0 };
    while (tally.kills < KILLS) {
      const folder = path.join(work, String(tally.runs++));
      fs.mkdirSync(folder);
      for (let step = 0, ended = false; !ended && tally.kills < KILLS;) {
        const at = tally.kills % 2 ? { write: 1 + random.integer(8) } : { delay: random.uniform() * 60 };
        const killed = await kill(folder, 'float32', at);
        if (killed) {
          tally.kills++;
          if (killed.inWrite) tally.inWrites++;
        } else tally.ended += Number(ended = true);
        const last = findCheckpoint(folder, 'last'), now = last === undefined ? 0 : readState(last).step;
        assert.ok(now >= step, `the checkpoint in force went from step ${step} back to ${now}`);
        step = now;
      }
      assert.deepEqual(await run({ folder }), whole);
      assert.deepEqual(keptEpochs(folder), [2, 4]);
      assert.deepEqual(fs.readdirSync(folder).filter((name) => isHalf(name) || name === 'run.lock'), [], 'nothing half written is left');
    }
    console.log(`      ${tally.kills} kills in ${tally.runs} runs (${tally.ended} ended before the last of theirs), ${tally.inWrites} inside a write`);
    assert.ok(tally.inWrites > 0, 'one or more fell into a write');
  });

  it('once in bfloat16 and resumed, ends bit-identical to an uninterrupted one, and each start warns of slow instructions once', async () => {
    const whole = await run({ precision: 'bfloat16' });
    const { warned } = (await kill(work, 'bfloat16', { write: 5 }))!;
    assert.equal(warned.match(/no bfloat16 instructions/g)?.length, hasFastBfloat16() ? undefined : 1, warned);
    assert.deepEqual(await run({ folder: work, precision: 'bfloat16' }), whole);
  });
});
