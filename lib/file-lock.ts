/**
 * One owner of a file or folder among processes: a lock file that names its owner and whose date the owner renews. It is left behind by a
 * process that is killed; such a lock is taken over, at once where the owner's process can be seen to be gone, else when its date has grown old.
 *
 * Two owners are possible in theory (a machine that sleeps, process numbers that mean something else in a container): what must not happen
 * then is either built to survive it, as fetch-file.ts is, or asks `isHeld` first.
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const RENEW = 5_000, OLD = 60_000, POLL = 200;

export interface Owner {
  pid: number;
  host: string;
  id: string;
  /** Tells the process from a later one of the same number; empty where the system does not say. */
  process?: string;
  /** When it got the lock, ISO 8601. */
  since?: string;
}

export interface FileLock {
  /** Whether nobody took it over or deleted it. */
  isHeld(): boolean;
  release(): void;
}

/** Waits until this process owns `file`. `onWait` is told once when another owner is there. */
export async function acquireLock(file: string, onWait?: () => void): Promise<FileLock> {
  for (let waited = false; ;) {
    const { lock } = tryLock(file);
    if (lock) return lock;
    if (!waited) onWait?.();
    waited = true;
    await new Promise((resolve) => { setTimeout(resolve, POLL); });
  }
}

/** Owns `file` at once, or says who does. `silence`: milliseconds after which a lock that nobody renews counts as left behind. */
export function tryLock(file: string, silence = OLD): { lock: FileLock; owner?: undefined } | { lock?: undefined; owner: Partial<Owner> } {
  const mine: Owner = {
    pid: process.pid, host: os.hostname(), id: randomUUID(), process: processIdentity(process.pid), since: new Date().toISOString(),
  };
  const text = JSON.stringify(mine);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  while (!create(file, text)) if (!removeAbandoned(file, mine, silence)) return { owner: parseOwner(readText(file)) ?? {} };
  const renewal = setInterval(() => {
    const now = new Date();
    try { fs.utimesSync(file, now, now); } catch { /* Taken over or deleted by someone: the next owner renews its own. */ }
  }, RENEW);
  renewal.unref();
  const isHeld = (): boolean => readText(file) === text;
  return {
    lock: {
      isHeld,
      release() {
        clearInterval(renewal);
        if (isHeld()) fs.rmSync(file, { force: true });
      },
    },
  };
}

function create(file: string, text: string): boolean {
  try {
    fs.writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // A full disk takes the file and not its text: an empty lock would keep the next owner waiting.
    if (code === 'ENOSPC' || code === 'EDQUOT') fs.rmSync(file, { force: true });
    throw error;
  }
}

/** Moves an abandoned lock aside; only what was seen to be abandoned is removed, not the lock of one who was faster. */
function removeAbandoned(file: string, mine: Owner, silence: number): boolean {
  const seen = readText(file), date = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (seen === undefined || date === undefined) return true;
  if (!isAbandoned(seen, date, mine.host, silence)) return false;
  const aside = `${file}.${mine.id}`;
  try { fs.renameSync(file, aside); } catch { return true; }
  if (readText(aside) !== seen) {
    // Someone else's new lock was caught instead: put it back, unless a still newer one is there.
    try { fs.linkSync(aside, file); } catch { /* There is one. */ }
  }
  fs.rmSync(aside, { force: true });
  return true;
}

function isAbandoned(text: string, date: number, host: string, silence: number): boolean {
  const age = Date.now() - date, owner = parseOwner(text);
  // A lock just being written is empty for a moment.
  if (!owner) return age > RENEW;
  return age > silence || (owner.host === host && typeof owner.pid === 'number' && !isAlive(owner.pid, owner.process));
}

function parseOwner(text = ''): Partial<Owner> | undefined {
  try { return JSON.parse(text) as Partial<Owner>; } catch { return undefined; }
}

function isAlive(pid: number, identity: string | undefined): boolean {
  const now = processIdentity(pid);
  if (identity && now && now !== identity) return false;
  try { return process.kill(pid, 0); } catch (error) { return (error as NodeJS.ErrnoException).code === 'EPERM'; }
}

/** Boot and start time of a process by Linux' /proc (proc_pid_stat(5), field 22); 'gone' for one that is dead and not yet buried. */
function processIdentity(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`) ?? '', fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20) return '';
  return fields[0] === 'Z' ? 'gone' : `${readText('/proc/sys/kernel/random/boot_id')?.trim()} ${fields[19]}`;
}

function readText(file: string): string | undefined {
  try { return fs.readFileSync(file, 'utf8'); } catch { return undefined; }
}
