import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { findCheckpoint, readState } from '../../lib/training/checkpoint';
import { run } from './killed-run';

/** Starts the run as a program and kills it, without a chance to tidy up, some time after it said the step. */
function killAt(folder: string, step: number, delay: number): Promise<void> {
  const program = ['-r', 'tsx/cjs', path.join(__dirname, 'killed-run.ts'), folder];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += String(text);
      if (said.includes(`step ${step}\n`)) setTimeout(() => child.kill('SIGKILL'), delay);
    });
    child.on('exit', (_, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error(`ended by itself: ${said}`))));
  });
}

describe('a run that is killed', function suite() {
  this.timeout(120_000);

  it('twice in mid-epoch and resumed ends bit-identical to an uninterrupted one', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'killed-'));
    try {
      const whole = await run();
      await killAt(folder, 5, 0);
      await killAt(folder, 9, 3);
      const { step } = readState(findCheckpoint(folder, 'last')!);
      assert.ok(step >= 8 && step < 21, `killed before its end, at step ${step}`);
      assert.deepEqual(await run({ folder }), whole);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
