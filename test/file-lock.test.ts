import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { acquireLock } from '../lib/file-lock';

describe('acquireLock', () => {
  let folder: string, file: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lock-'));
    file = path.join(folder, 'locks', 'file.owner');
  });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  /** Whether the lock is had at once. */
  async function isFree(): Promise<boolean> {
    const waiting = new Promise<false>((resolve) => { void acquireLock(file, () => resolve(false)).then((lock) => lock.release()); });
    return Promise.race([waiting, acquiredSoon()]);
  }
  const acquiredSoon = async () => {
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    return !fs.existsSync(file);
  };
  const leave = (owner: object | string, age = 0) => {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, typeof owner === 'string' ? owner : JSON.stringify(owner));
    const date = new Date(Date.now() - age * 1000);
    fs.utimesSync(file, date, date);
  };

  it('has one owner at a time, and the next in turn', async () => {
    let owners = 0, most = 0, waits = 0;
    await Promise.all(Array.from({ length: 5 }, async () => {
      const lock = await acquireLock(file, () => { waits++; });
      most = Math.max(most, ++owners);
      await new Promise((resolve) => { setTimeout(resolve, 10); });
      owners--;
      lock.release();
    }));
    assert.deepEqual([most, waits, fs.readdirSync(path.dirname(file))], [1, 4, []]);
  });

  it('is taken over from a process that is gone, at once', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    leave({ pid, host: os.hostname(), id: 'x' });
    assert.equal(await isFree(), true);
    assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
  });

  it('is not taken over from a living process, nor from another machine, while the date is fresh', async () => {
    const alive = [process.pid, 1].map((pid) => ({ pid, host: os.hostname(), id: 'x' }));
    for (const owner of [...alive, { pid: 999_999_999, host: 'elsewhere', id: 'x' }, '']) {
      leave(owner);
      assert.equal(await isFree(), false, JSON.stringify(owner));
      fs.rmSync(file);
      await new Promise((resolve) => { setTimeout(resolve, 400); });
    }
  });

  it('is taken over from whomever when its date is old', async () => {
    for (const owner of [{ pid: process.pid, host: os.hostname(), id: 'x' }, { pid: 7, host: 'elsewhere', id: 'x' }, '']) {
      leave(owner, 61);
      assert.equal(await isFree(), true, JSON.stringify(owner));
    }
  });

  it('does not remove the lock of another owner', async () => {
    const lock = await acquireLock(file);
    fs.writeFileSync(file, '{"id": "another"}');
    lock.release();
    assert.equal(fs.readFileSync(file, 'utf8'), '{"id": "another"}');
  });
});
