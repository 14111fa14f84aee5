/**
 * One owner of a file among processes: a lock file that names its owner and whose date the owner renews. It is left behind by a process
 * that is killed; such a lock is taken over, at once where the owner's process can be seen to be gone, else when its date has grown old.
 *
 * Two owners are possible in theory (a machine that sleeps, process numbers that mean something else in a container). What the lock guards
 * is built to survive that: see fetch-file.ts.
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const RENEW = 5_000, OLD = 60_000, POLL = 200;

interface Owner { pid: number; host: string; id: string }

export interface FileLock { release(): void }

/** Waits until this process owns `file`. `onWait` is told once when another owner is there. */
export async function acquireLock(file: string, onWait?: () => void): Promise<FileLock> {
  const mine: Owner = { pid: process.pid, host: os.hostname(), id: randomUUID() }, text = JSON.stringify(mine);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let waited = false; ;) {
    if (create(file, text)) break;
    if (removeAbandoned(file, mine)) continue;
    if (!waited) onWait?.();
    waited = true;
    await new Promise((resolve) => { setTimeout(resolve, POLL); });
  }
  const renewal = setInterval(() => {
    const now = new Date();
    try { fs.utimesSync(file, now, now); } catch { /* Taken over or deleted by someone: the next owner renews its own. */ }
  }, RENEW);
  renewal.unref();
  return {
    release() {
      clearInterval(renewal);
      if (readText(file) === text) fs.rmSync(file, { force: true });
    },
  };
}

function create(file: string, text: string): boolean {
  try {
    fs.writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves an abandoned lock aside; only what was seen to be abandoned is removed, not the lock of one who was faster. */
function removeAbandoned(file: string, mine: Owner): boolean {
  const seen = readText(file), date = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (seen === undefined || date === undefined) return true;
  if (!isAbandoned(seen, date, mine.host)) return false;
  const aside = `${file}.${mine.id}`;
  try { fs.renameSync(file, aside); } catch { return true; }
  if (readText(aside) !== seen) {
    // Someone else's new lock was caught instead: put it back, unless a still newer one is there.
    try { fs.linkSync(aside, file); } catch { /* There is one. */ }
  }
  fs.rmSync(aside, { force: true });
  return true;
}

function isAbandoned(text: string, date: number, host: string): boolean {
  const age = Date.now() - date;
  let owner: Partial<Owner>;
  // A lock just being written is empty for a moment.
  try { owner = JSON.parse(text) as Partial<Owner>; } catch { return age > RENEW; }
  return age > OLD || (owner.host === host && typeof owner.pid === 'number' && !isAlive(owner.pid));
}

function isAlive(pid: number): boolean {
  try { return process.kill(pid, 0); } catch (error) { return (error as NodeJS.ErrnoException).code === 'EPERM'; }
}

function readText(file: string): string | undefined {
  try { return fs.readFileSync(file, 'utf8'); } catch { return undefined; }
}
