// One set-up at a time: a folder as lock, since mkdir is atomic, holding the owner's identity and the command it runs.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const heartbeat = 5_000; // ms
const silence = 60_000; // ms without a heartbeat after which an owner on another host (or container) counts as gone

const text = (file) => { try { return fs.readFileSync(file, 'utf8'); } catch { return ''; } };

/** Tells a process from a later one with the same number: its start time, in this boot. '' for none, or for a zombie. */
function identity(pid) {
  const stat = text(`/proc/${pid}/stat`);
  const [state, , , , , , , , , , , , , , , , , , , started] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return !stat || state === 'Z' ? '' : `${text('/proc/sys/kernel/random/boot_id').trim()}/${started}`;
}
const describe = (pid, what) => ({ pid, what, identity: identity(pid) });
const isAlive = (owner) => Boolean(owner?.pid) && identity(owner.pid) !== '' && identity(owner.pid) === owner.identity;

let held = null; // { file, record }

function write() {
  fs.writeFileSync(`${held.file}.tmp`, JSON.stringify(held.record));
  fs.renameSync(`${held.file}.tmp`, held.file);
}

/** Remembers the command at work, which outlives a set-up that is killed; 0 for none. */
export function noteChild(pid, what = '') {
  if (!held) return;
  held.record.child = pid ? describe(pid, what) : null;
  write();
}

/** Who holds the lock: { who: '' } when nobody does any more, so that it may be taken over. */
function holder(folder, file) {
  let record;
  try { record = JSON.parse(text(file)); } catch { /* being written, or its owner died before writing */ }
  const age = Date.now() - (fs.statSync(record ? file : folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (!record) return { who: age < silence / 12 ? 'another set-up' : '' };
  if (record.host !== os.hostname()) return { who: age < silence ? `another set-up (on ${record.host})` : '' };
  if (isAlive(record.owner)) return { who: `another set-up (process ${record.owner.pid})` };
  if (isAlive(record.child)) return { who: `${record.child.what} of an earlier set-up that was killed (process ${record.child.pid})` };
  return { who: '' };
}

/** Removes a dead owner's lock; a second lock keeps two waiters from removing each other's new one. */
function takeOver(folder, file) {
  const guard = `${folder}.takeover`;
  try {
    fs.mkdirSync(guard);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (Date.now() - (fs.statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > silence) fs.rmSync(guard, { recursive: true, force: true });
    return;
  }
  try { if (!holder(folder, file).who) fs.rmSync(folder, { recursive: true, force: true }); } finally { fs.rmSync(guard, { recursive: true, force: true }); }
}

/** Waits for another set-up to end, takes over a dead one's lock; returns the function that releases it. */
export async function acquireLock(folder, say) {
  const file = path.join(folder, 'owner.json');
  for (let told = ''; ;) {
    try {
      fs.mkdirSync(folder);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const { who } = holder(folder, file);
    if (!who) takeOver(folder, file);
    else if (who !== told) say(`- waiting for ${told = who} to end`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  held = { file, record: { host: os.hostname(), owner: describe(process.pid, 'set-up'), child: null } };
  write();
  const beat = setInterval(() => { try { fs.utimesSync(file, new Date(), new Date()); } catch { /* released */ } }, heartbeat);
  beat.unref();
  return () => { clearInterval(beat); held = null; fs.rmSync(folder, { recursive: true, force: true }); };
}
