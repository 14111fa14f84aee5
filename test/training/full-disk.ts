/**
 * A program for a place of its own (`unshare`), where it may mount: trains onto a disk that fills up, then goes on there, then starts
 * another run in what has become read-only. Prints what happened as JSON.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { findCheckpoint, readState } from '../../lib/training/checkpoint';
import { run } from './killed-run';

const errorOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'none', (error: Error) => error.message);

async function main(disk: string): Promise<void> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'none', disk]);
  const folder = path.join(disk, 'run'), big = path.join(disk, 'big');
  const fill = (): void => {
    const file = fs.openSync(big, 'w');
    try { for (;;) fs.writeSync(file, Buffer.alloc(4096)); } catch { fs.closeSync(file); }
  };
  const full = await errorOf(run({ folder, onStep: ({ step }) => { if (step === 9) fill(); } }));
  const left = fs.readdirSync(folder).sort(), { step } = readState(findCheckpoint(folder, 'last')!);
  fs.rmSync(big);
  const resumed = await run({ folder });
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const steps: number[] = [], onStep = (progress: { step: number }): void => { steps.push(progress.step); };
  const readOnly = await errorOf(run({ folder: path.join(disk, 'other'), onStep }));
  const longer = await errorOf(run({ folder, epochs: 6, onStep }));
  const ended = await run({ folder, onStep });
  process.stdout.write(JSON.stringify({ full, left, step, resumed, readOnly, longer, ended, steps }));
}

void main(process.argv[2]);
