import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** The program's outcome, from pictures to captions. */
function outcome(folder: string): Promise<{ weights: string; curve: object[]; captions: object[] }> {
  const program = ['-r', 'tsx/cjs', path.join(__dirname, 'repeated-run.ts'), folder];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text: Buffer) => { said += String(text); });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(said) as Awaited<ReturnType<typeof outcome>>);
      else reject(new Error(`ended with ${code}`));
    });
  });
}

describe('an experiment run twice', () => {
  it('has the same weights, curve, captions and log-probabilities in two processes that get in each other\'s way', async function twice() {
    this.timeout(120_000);
    const work = fs.mkdtempSync(path.join(os.tmpdir(), 'repeated-'));
    try {
      const [first, second] = await Promise.all(['a', 'b'].map((name) => outcome(path.join(work, name))));
      assert.match(first.weights, /^[\da-f]{64}$/);
      assert.equal(first.curve.length, 1);
      assert.equal(first.captions.length, 4);
      assert.deepEqual(second, first);
    } finally { fs.rmSync(work, { recursive: true, force: true }); }
  });
});
