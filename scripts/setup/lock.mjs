// One set-up at a time: a folder as lock, since mkdir is atomic, holding the owner's process id.
import fs from 'node:fs';
import path from 'node:path';

const alive = (pid) => { try { process.kill(pid, 0); return true; } catch (error) { return error.code === 'EPERM'; } };

/** Waits for another set-up to end, takes over a dead one's lock; returns the function that releases it. */
export async function acquireLock(folder, say) {
  const owner = path.join(folder, 'pid');
  for (let waited = 0; ; waited++) {
    try {
      fs.mkdirSync(folder);
      fs.writeFileSync(owner, String(process.pid));
      return () => fs.rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let pid = 0;
    try { pid = Number(fs.readFileSync(owner, 'utf8')); } catch { /* being written, or its owner died before writing */ }
    if (pid ? !alive(pid) : waited > 20) fs.rmSync(folder, { recursive: true, force: true });
    else if (waited === 0) say(`- another set-up is at work${pid ? ` (process ${pid})` : ''}; waiting for it`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
