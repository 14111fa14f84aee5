import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { hasFastBfloat16, type Precision } from '../../lib/engine';
import { findCheckpoint, readState } from '../../lib/training/checkpoint';
import { run } from './killed-run';

/** Starts the run as a program and kills it, without a chance to tidy up, some time after it said the step; returns its warnings. */
function killAt(folder: string, precision: Precision, step: number, delay: number): Promise<string> {
  const program = ['-r', 'tsx/cjs', path.join(__dirname, 'killed-run.ts'), folder, precision];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '', warned = '';
    child.stderr.on('data', (text: Buffer) => { warned += String(text); });
    child.stdout.on('data', (text: Buffer) => {
      said += String(text);
      if (said.includes(`step ${step}\n`)) setTimeout(() => child.kill('SIGKILL'), delay);
    });
    child.on('close', (_, signal) => (signal === 'SIGKILL' ? resolve(warned) : reject(new Error(`ended by itself: ${said}${warned}`))));
  });
}

describe('a run that is killed', function suite() {
  this.timeout(120_000);

  const runs: { precision: Precision; times: string; kills: [step: number, delay: number][] }[] = [
    { precision: 'float32', times: 'twice', kills: [[5, 0], [9, 3]] }, { precision: 'bfloat16', times: 'once', kills: [[10, 0]] },
  ];
  for (const { precision, times, kills } of runs) {
    it(`${times} in mid-epoch and resumed ends bit-identical to an uninterrupted one, in ${precision}`, async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'killed-'));
      try {
        const whole = await run({ precision });
        const warnings: string[] = [];
        for (const [step, delay] of kills) warnings.push(await killAt(folder, precision, step, delay));
        const { step } = readState(findCheckpoint(folder, 'last')!);
        assert.ok(step >= 8 && step < 21, `killed before its end, at step ${step}`);
        assert.deepEqual(await run({ folder, precision }), whole);
        const slow = precision === 'bfloat16' && !hasFastBfloat16();
        for (const warning of warnings) assert.equal(warning.match(/no bfloat16 instructions/g)?.length, slow ? 1 : undefined, warning);
      } finally {
        fs.rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
