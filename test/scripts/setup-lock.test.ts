import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const lockModule = pathToFileURL(path.resolve(__dirname, '../../scripts/setup/lock.mjs')).href;

/** Runs code that may call acquireLock(folder), with `say` writing to its output, in a process of its own. */
function run(code: string, folder: string): Promise<{ output: string; pid: number }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e',
    `import { acquireLock, noteChild } from ${JSON.stringify(lockModule)}; import fs from 'node:fs'; import { spawn } from 'node:child_process';
     const [folder] = process.argv.slice(1); const say = console.log; ${code}`, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { output += chunk; });
  return new Promise((resolve) => { child.on('close', () => resolve({ output, pid: child.pid as number })); });
}

describe('set-up: the lock', () => {
  let scratch: string, folder: string;
  beforeEach(() => { scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'lock-')); folder = path.join(scratch, 'lock'); });
  afterEach(() => { fs.rmSync(scratch, { recursive: true, force: true }); });

  it('lets one process in at a time, also when all find a dead owner\'s lock', async () => {
    await run('await acquireLock(folder, say); process.kill(process.pid, "SIGKILL");', folder);
    assert.ok(fs.existsSync(folder), 'the killed owner left its lock');
    const critical = `const release = await acquireLock(folder, say);
      fs.mkdirSync(folder + '.inside'); await new Promise((r) => setTimeout(r, 50)); fs.rmdirSync(folder + '.inside'); release(); say('done');`;
    const results = await Promise.all(Array.from({ length: 4 }, () => run(critical, folder)));
    for (const { output } of results) assert.match(output, /done/);
    assert.deepEqual(fs.readdirSync(scratch), []);
  });

  it('waits for the command that a killed owner left running', async () => {
    const { output } = await run(`await acquireLock(folder, say);
      const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 800)'], { stdio: 'ignore', detached: true });
      noteChild(child.pid, 'npm ci'); say(child.pid); fs.writeSync(1, ''); setTimeout(() => process.kill(process.pid, "SIGKILL"), 50);`, folder);
    const orphan = Number(output);
    const said: string[] = [];
    const { acquireLock } = await import(lockModule) as { acquireLock(folder: string, say: (line: string) => void): Promise<() => void> };
    const release = await acquireLock(folder, (line) => said.push(line));
    release();
    assert.deepEqual(said, [`- waiting for npm ci of an earlier set-up that was killed (process ${orphan}) to end`]);
    const state = fs.existsSync(`/proc/${orphan}/stat`) ? fs.readFileSync(`/proc/${orphan}/stat`, 'utf8').split(') ')[1][0] : 'gone';
    assert.ok(['gone', 'Z'].includes(state), `the orphan ended first, its state is ${state}`);
  });

  it('takes over from a process number that now is another process, and from another host that fell silent', async () => {
    const { acquireLock } = await import(lockModule) as { acquireLock(folder: string, say: (line: string) => void): Promise<() => void> };
    for (const [host, age] of [[os.hostname(), 0], ['another-host', 61]] as const) {
      fs.mkdirSync(folder);
      const file = path.join(folder, 'owner.json');
      fs.writeFileSync(file, JSON.stringify({ host, owner: { pid: process.pid, identity: 'another boot/1' }, child: null }));
      fs.utimesSync(file, new Date(), new Date(Date.now() - age * 1000));
      const said: string[] = [];
      (await acquireLock(folder, (line) => said.push(line)))();
      assert.deepEqual(said, []);
      assert.ok(!fs.existsSync(folder));
    }
  });
});
