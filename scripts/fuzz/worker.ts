/**
 * Runs cases of one target, one after the other, in a process of its own. Before each its number is written to a file, so that who
 * watches sees a case that does not end, or that ends the process.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { peakMemory, resetPeakMemory } from '../peak-memory';
import { errorProblem } from './judge';
import { caseFiles, type Files, type FuzzTarget } from './target';

/** What the parent asks for: some targets, one after the other. */
export interface WorkerTask {
  /** The module that exports `targets`. */
  readonly module: string;
  readonly names: readonly string[];
  readonly seed: number;
  /** The first case, of the first of the targets; the others begin with 0. */
  readonly from: number;
  /** Of each target. */
  readonly cases: number;
  readonly seconds: number;
  /** For the inputs; nothing else may appear in it. */
  readonly folder: string;
  /** Where it stands: a file of the target's place among the names and the case's number, −1 while the target is made ready. */
  readonly progress: string;
}

export type WorkerMessage =
  | { readonly kind: 'failure'; readonly target: string; readonly index: number; readonly reason: string; readonly detail: string }
  | { readonly kind: 'done'; readonly target: string; readonly cases: number; readonly accepted: number };

/** Of one small input: what a reader takes beyond this it takes without limit. */
const MOST_MEMORY = 500 * 2 ** 20, MOST_CPU_SECONDS = 5;

export function writeCase(folder: string, files: Files): void {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), bytes);
  }
}

/** Files of this folder that are open; where the system does not tell, none. */
function openFiles(folder: string): number {
  const descriptors = fs.existsSync('/proc/self/fd') ? fs.readdirSync('/proc/self/fd') : [];
  return descriptors.filter((one) => {
    try { return fs.readlinkSync(`/proc/self/fd/${one}`).startsWith(folder); } catch { return false; }
  }).length;
}

const cpuSeconds = (): number => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };

type Outcome = { reason: string; detail: string } | 'accepted' | undefined;

/**
 * What is wrong with how a case went, undefined if nothing.
 *
 * @param names one of which an error must say; none for a seed, which must be read
 */
async function runCase(target: FuzzTarget, files: Files, folder: string, names: readonly string[] = []): Promise<Outcome> {
  const inputs = path.join(folder, 'case');
  writeCase(inputs, files);
  resetPeakMemory();
  const descriptors = openFiles(inputs), memory = peakMemory(), cpu = cpuSeconds();
  let error: unknown, failed = false;
  try { await target.read(inputs); } catch (thrown) { [error, failed] = [thrown, true]; }
  const detail = failed ? (error instanceof Error ? error.stack ?? error.message : String(error)) : '';
  const wrong = (reason: string) => ({ reason, detail });
  if (failed && names.length === 0) return wrong('a whole input was refused');
  const problem = failed ? errorProblem(error, [inputs, ...names]) : undefined;
  if (problem) return wrong(problem);
  // Streams close their files a moment later.
  for (let waits = 0; openFiles(inputs) > descriptors && waits < 50; waits++) await new Promise((resolve) => { setTimeout(resolve, 10); });
  if (openFiles(inputs) > descriptors) return wrong('a file was left open');
  const taken = peakMemory() - memory;
  if (taken > MOST_MEMORY) return wrong(`${Math.round(taken / 2 ** 20)} MiB of memory were taken`);
  if (cpuSeconds() - cpu > MOST_CPU_SECONDS) return wrong(`${(cpuSeconds() - cpu).toFixed(1)} seconds of processor time were taken`);
  const stray = fs.readdirSync(folder).find((name) => name !== 'case');
  if (stray !== undefined) {
    fs.rmSync(path.join(folder, stray), { recursive: true });
    return wrong(`${stray} was written outside the folder`);
  }
  return failed ? undefined : 'accepted';
}

async function main({ module, names, seed, from, cases, seconds, folder, progress }: WorkerTask): Promise<void> {
  const { targets } = require(module) as { targets: readonly FuzzTarget[] };
  const state = fs.openSync(progress, 'w'), send = (message: WorkerMessage) => process.send!(message);
  for (const [place, name] of names.entries()) {
    const standAt = (index: number): void => { fs.writeSync(state, `${place} ${index}`.padEnd(32), 0); };
    standAt(-1);
    const target = targets.find((one) => one.name === name)!, seeds = await target.seeds();
    // What is loaded and compiled at the first use is not the case's.
    await runCase(target, seeds[0], folder);
    const names = seeds.flatMap((files) => Object.keys(files).map((file) => path.basename(file)));
    const first = place === 0 ? from : 0, until = Date.now() + seconds * 1000;
    let index = first, accepted = 0;
    for (; index < first + cases && Date.now() < until; index++) {
      standAt(index);
      const outcome = await runCase(target, caseFiles(target, seeds, seed, index), folder, index < seeds.length ? [] : names);
      if (outcome === 'accepted') accepted++;
      else if (outcome) send({ kind: 'failure', target: name, index, ...outcome });
    }
    send({ kind: 'done', target: name, cases: index - first, accepted });
  }
  process.disconnect();
  // Servers and thread pools of targets would keep the process alive.
  setTimeout(() => process.exit(0), 100);
}

if (require.main === module) {
  process.once('message', (task: WorkerTask) => {
    // An error that nobody waits for is the reader's too.
    process.on('unhandledRejection', (error) => { throw error; });
    void main(task);
  });
}
