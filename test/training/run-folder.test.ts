import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount } from '../../lib/engine';
import { findCheckpoint } from '../../lib/training/checkpoint';
import { run } from './killed-run';

describe('the folder of a training', () => {
  let folder: string, lock: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'run-'));
    lock = path.join(folder, 'run.lock');
  });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  const short = { epochs: 1, keepEvery: undefined } as const;
  const owner = { pid: process.pid, host: os.hostname(), id: 'x', since: '2026-01-02T03:04:05.000Z' };

  it('is one run\'s at a time: another is refused and told whose it is; at the end, and at an error, it is free', async () => {
    let second: Promise<unknown> | undefined;
    const before = tensorCount();
    await run({ ...short, folder, onStep: ({ step }) => { if (step === 2) (second = run({ ...short, folder })).catch(() => {}); } });
    await assert.rejects(second!, /another run has been at work there since 20\S+ \(this very process\)\. Wait for its end, or use another folder/);
    assert.equal(fs.existsSync(lock), false);
    assert.equal(tensorCount(), before + 4, 'the four parameters of the model that was refused, which its owner would dispose');
    await assert.rejects(run({ ...short, epochs: 2, folder, onStep: () => { throw new Error('broken'); } }), /broken/);
    assert.equal(fs.existsSync(lock), false);
  });

  it('is refused while a process on this or another machine has it, and taken over from one that is gone or has its number by chance', async () => {
    for (const [other, said] of [[{ ...owner, pid: 1 }, /process 1 on /], [{ ...owner, host: 'elsewhere' }, /on elsewhere\).*if it is gone for certain, delete .*run\.lock/]] as const) {
      fs.writeFileSync(lock, JSON.stringify(other));
      await assert.rejects(run({ ...short, folder }), said);
    }
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (const gone of [{ ...owner, pid }, { ...owner, pid: 1, process: 'another boot 7' }]) {
      fs.writeFileSync(lock, JSON.stringify(gone));
      await run({ ...short, folder, restartFinished: true });
      assert.equal(fs.existsSync(lock), false);
    }
  });

  it('whose lock is gone is written to no more', async () => {
    const steal = ({ step }: { step: number }) => { if (step === 3) fs.writeFileSync(lock, JSON.stringify(owner)); };
    await assert.rejects(run({ ...short, folder, onStep: steal }), /another run has taken this folder over .* writes nothing/);
    assert.match(findCheckpoint(folder, 'last')!, /last-2$/);
    assert.equal(fs.existsSync(lock), true, 'the other\'s lock stays');
  });

  it('is read without a lock where the run has ended', async () => {
    const { weights } = await run({ ...short, folder });
    fs.writeFileSync(lock, JSON.stringify(owner));
    assert.deepEqual((await run({ ...short, folder })).weights, weights);
  });

  it('loses nothing of the checkpoint in force when the same step is written again', async () => {
    const controller = new AbortController(), { signal } = controller;
    const onStep = ({ step }: { step: number }) => { if (step === 5) controller.abort(); };
    const seen: string[] = [], module = require('node:fs') as { renameSync: typeof fs.renameSync }, { renameSync } = module;
    // Whenever something takes another's place, the pointer points to a checkpoint.
    module.renameSync = (from, to) => {
      if (fs.existsSync(path.join(folder, 'last.json'))) seen.push(path.basename(findCheckpoint(folder, 'last')!));
      renameSync(from, to);
    };
    try { await run({ folder, signal, onStep }); } finally { module.renameSync = renameSync; }
    assert.ok(seen.includes('last-5'), seen.join(' '));
    assert.match(findCheckpoint(folder, 'last')!, /last-5-again$/, 'stopped after step 5, whose checkpoint was there');
    assert.deepEqual(await run({ folder }), await run());
  });

  it('a first line of history that was cut off does not spoil the next', async () => {
    const history = path.join(folder, 'history.jsonl');
    fs.writeFileSync(history, '{"epo');
    await run({ ...short, folder });
    assert.deepEqual(fs.readFileSync(history, 'utf8').trim().split('\n').map((line) => (JSON.parse(line) as { epoch: number }).epoch), [1]);
  });

  it('says when a file is in its way', async () => {
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, '');
    for (const place of [file, path.join(file, 'run')]) {
      await assert.rejects(run({ ...short, folder: place }), /cannot be kept in .*file.*: a file is in the way .* Name another folder/, place);
    }
  });

  it('says what differs in a checkpoint of other code: format and settings stop it, other versions are told', async () => {
    await run({ ...short, folder });
    const state = path.join(findCheckpoint(folder, 'last')!, 'state.json'), stored = JSON.parse(fs.readFileSync(state, 'utf8')) as { versions: object };
    assert.deepEqual(Object.keys(stored.versions), ['captioning', 'TensorFlow']);
    const go = () => run({ ...short, folder, epochs: 2 }), { warn } = console, told: string[] = [];
    fs.writeFileSync(state, JSON.stringify({ ...stored, format: 7 }));
    await assert.rejects(go(), /checkpoints of format 7 there, 1 now.*or delete .* to start over/);
    fs.writeFileSync(state, JSON.stringify({ ...stored, versions: { ...stored.versions, TensorFlow: '1.15.0' } }));
    console.warn = (message: string) => told.push(message);
    try { await go(); } finally { console.warn = warn; }
    assert.match(told.join('\n'), /computed by other versions: TensorFlow: "1\.15\.0" there, "\d\S+" now\. The run goes on/);
    await assert.rejects(run({ ...short, folder, epochs: 3, graphs: false }), /graphs: undefined there, false now/);
  });

  it('on a full disk keeps the last checkpoint and says so, goes on when there is space, and is read where it is read-only', async function fullDisk() {
    const mount = ['-rm', process.execPath, '-r', 'tsx/cjs', path.join(__dirname, 'full-disk.ts'), folder];
    if (spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', folder]).status !== 0) {
      console.log('      no mounts of one\'s own here (unshare -rm): skipped');
      this.skip();
    }
    const { stdout, stderr } = spawnSync('unshare', mount, { encoding: 'utf8' });
    const told = JSON.parse(stdout || `"${stderr}"`) as Record<'full' | 'readOnly' | 'longer', string> & { left: string[]; step: number; resumed: unknown; ended: unknown; steps: number[] };
    assert.match(told.full, /checkpoint could not be written to .*: the disk is full: free some space .*ENOSPC.*last-8, is whole: call train again/);
    assert.deepEqual([told.step, told.left], [8, ['last-8', 'last.json']]);
    const whole = JSON.parse(JSON.stringify(await run())) as unknown;
    assert.deepEqual(told.resumed, whole);
    assert.match(told.longer, /run cannot be kept in .*: it is read-only .* Name another folder/);
    assert.match(told.readOnly, /run cannot be kept in .*: it cannot be made: is the folder above it read-only\? .* Name another folder/);
    assert.deepEqual(told.ended, whole);
    assert.deepEqual(told.steps, [], 'no step is computed in vain');
  });
});
