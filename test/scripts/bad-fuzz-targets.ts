/** Readers with the faults that fuzzing is to find in eight seconds, each at the third case; the last has none. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { must, type FuzzTarget } from '../../scripts/fuzz/target';

const seeds = () => [{ 'a.txt': Buffer.from('one') }, { 'a.txt': Buffer.from('two') }];
const damaged = (folder: string): boolean => !['one', 'two'].includes(fs.readFileSync(path.join(folder, 'a.txt'), 'utf8'));
const when = (name: string, act: (folder: string) => unknown): FuzzTarget =>
  ({ name, seeds, mutate: () => Buffer.from('three'), read: (folder) => (damaged(folder) ? act(folder) : undefined) });

export const targets: readonly FuzzTarget[] = [
  when('hangs', () => { for (;;); }),
  when('ends', () => { process.kill(process.pid, 'SIGSEGV'); return new Promise(() => {}); }),
  when('inside', () => (undefined as unknown as string).length),
  when('open', (folder) => fs.openSync(path.join(folder, 'a.txt'), 'r')),
  when('outside', (folder) => fs.writeFileSync(path.join(folder, '..', 'stray'), '')),
  when('wrong', () => must(false, '3 is no 2')),
  when('nameless', () => { throw new Error('no'); }),
  when('memory', () => Buffer.alloc(600 * 2 ** 20, 1).length),
  {
    name: 'whole', seeds,
    read: (folder) => { if (fs.readFileSync(path.join(folder, 'a.txt'), 'utf8') === 'two') throw new Error('a.txt: no'); },
  },
  // No fault: making it ready is no case.
  { name: 'slow', seeds: () => new Promise((resolve) => { setTimeout(resolve, 9000, seeds()); }), read: () => undefined },
];
