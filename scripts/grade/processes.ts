/** The processes of one notebook, wherever they have got to: their memory, and their end. Linux only; elsewhere there are none. */
import fs from 'node:fs';

/** Marks a notebook's processes: whoever inherits the environment has it. */
export const MARK = 'CAPTIONING_GRADE_RUN';

interface Process { pid: number; parent: number; session: number }

const readText = (file: string): string => { try { return fs.readFileSync(file, 'latin1'); } catch { return ''; } };

function allProcesses(): Process[] {
  let names: string[] = [];
  try { names = fs.readdirSync('/proc'); } catch { /* no Linux */ }
  return names.filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    // The command stands in parentheses and may hold anything; behind it come state, parent, group, session.
    const stat = readText(`/proc/${name}/stat`), fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return stat === '' || fields[0] === 'Z' ? [] : [{ pid: Number(name), parent: Number(fields[1]), session: Number(fields[3]) }];
  });
}

/** Those that carry the mark, what they have started, and what shares a session with them. */
export function processesOf(mark: string): number[] {
  const all = allProcesses(), entry = `${MARK}=${mark}`, mine = new Map<number, Process>();
  for (const each of all) if (`\0${readText(`/proc/${each.pid}/environ`)}`.includes(`\0${entry}\0`)) mine.set(each.pid, each);
  for (let before = -1; before < mine.size;) {
    before = mine.size;
    const sessions = new Set([...mine.values()].map(({ session }) => session));
    for (const each of all) if (mine.has(each.parent) || sessions.has(each.session)) mine.set(each.pid, each);
  }
  mine.delete(process.pid);
  return [...mine.keys()];
}

/** Resident memory of processes together, in bytes. */
export function memoryOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0), 0);
}

/**
 * Ends them all, also those that are started meanwhile.
 *
 * @param reaper the one that orphans become children of, by which they are found: it is ended last
 */
export async function killAll(mark: string, reaper?: number): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const pids = processesOf(mark), others = pids.filter((pid) => pid !== reaper);
    if (pids.length === 0) return;
    for (const pid of others.length > 0 && round < 19 ? others : pids) try { process.kill(pid, 'SIGKILL'); } catch { /* gone already */ }
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
