/** What every benchmark here starts with: its options, and the library that is measured. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import type * as Captioning from '../../lib';

/** Options by name with what they are unless given; `--json` and `--source` are understood by all benchmarks. */
export function options<T extends Record<string, string>>(standard: T): { [K in keyof T]: string } & { json?: string } {
  const own = Object.fromEntries(Object.entries(standard).map(([name, value]) => [name, { type: 'string' as const, default: value }]));
  const { values } = parseArgs({ options: { ...own, json: { type: 'string' }, source: { type: 'boolean' } } });
  return values as never;
}

/** The compiled library, as notebooks use it; with `--source` lib/ as it stands. */
export const captioning = require(process.argv.includes('--source') ? '../../lib' : 'captioning') as typeof Captioning;

/** Runs a benchmark in a folder for what its sides share: a temporary one unless one is given, which is kept. */
export async function inFolder(main: (folder: string) => Promise<void>, given = ''): Promise<void> {
  const folder = given || fs.mkdtempSync(path.join(tmpdir(), 'bench-'));
  fs.mkdirSync(folder, { recursive: true });
  try { await main(folder); } finally { if (!given) fs.rmSync(folder, { recursive: true }); }
}

/** Float32 values in a file for a Python side, whose harness.peer.values reads what is returned. */
export function writeTensor(file: string, tensor: Captioning.Tensor): { file: string; shape: number[] } {
  fs.writeFileSync(file, tensor.dataSync() as Float32Array);
  return { file, shape: tensor.shape };
}
