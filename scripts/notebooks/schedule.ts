/** Which notebooks run at the same time, and on how many threads each. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { NotebookError } from './environment';
import type { Notebook } from './notebook-file';

/** Memory to leave for each notebook, in bytes: three times what the largest took. */
const MEMORY_EACH = 4e9;

export interface Jobs { jobs: number; /** Of TensorFlow in each; undefined: as many as it likes. */ threads?: number }

/**
 * Small networks use a second thread badly, so on small data it is notebooks that run side by side, one a thread; a full run has the machine
 * to itself. `wanted` overrides that.
 */
export function chooseJobs(profile: string, wanted?: number, cores = os.availableParallelism(), memory = os.freemem()): Jobs {
  const jobs = wanted ?? (profile === 'small' ? Math.max(1, Math.min(cores, 4, Math.floor(memory / MEMORY_EACH))) : 1);
  return jobs === 1 ? { jobs } : { jobs, threads: Math.max(1, Math.floor(cores / jobs)) };
}

/** What TensorFlow reads of that. */
export const threadEnvironment = ({ threads }: Jobs): NodeJS.ProcessEnv => (threads === undefined ? {} : {
  TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: String(threads), TF_FORCE_GPU_ALLOW_GROWTH: 'true',
});

/**
 * The beginnings of names of notebooks that must run before, from a notebook's metadata (`captioning.after`): it goes on with what they
 * have made.
 *
 * @throws NotebookError if it is no list of texts
 */
export function predecessorsOf(notebook: Notebook, name: string): string[] {
  const { after = [] } = (notebook.metadata.captioning ?? {}) as { after?: unknown };
  if (Array.isArray(after) && after.every((one) => typeof one === 'string')) return after;
  throw new NotebookError(`${name}: captioning.after in its metadata is ${JSON.stringify(after)}: expected a list such as ["02"].`);
}

/**
 * Runs `run` for every file, up to `jobs` at a time: none before those it goes on with, as far as they are among the files, and first the
 * ones that most others wait for. `run` resolves to whether to go on.
 */
export async function runInOrder(files: readonly string[], jobs: number, run: (file: string) => Promise<boolean>): Promise<void> {
  const nameOf = (file: string) => path.basename(file, '.ipynb');
  const before = new Map(files.map((file) => {
    const names = predecessorsOf(JSON.parse(fs.readFileSync(file, 'utf8')) as Notebook, nameOf(file));
    return [file, files.filter((other) => other !== file && names.some((name) => nameOf(other).startsWith(name)))];
  }));
  const followersOf = (file: string, found = new Set<string>()): Set<string> => {
    for (const other of files) if (before.get(other)!.includes(file) && !found.has(other)) followersOf(other, found.add(other));
    return found;
  };
  const followers = new Map(files.map((file) => [file, followersOf(file).size]));
  const waiting = [...files].sort((a, b) => followers.get(b)! - followers.get(a)!), ended = new Set<string>();
  let goOn = true;
  const work = async (): Promise<void> => {
    while (goOn && waiting.length > 0) {
      const at = waiting.findIndex((file) => before.get(file)!.every((one) => ended.has(one)));
      if (at < 0) {
        if (running.size === 0) throw new NotebookError(`${waiting.map(nameOf).join(', ')} wait for each other: none can be the first.`);
        await Promise.race(running);
        continue;
      }
      const [file] = waiting.splice(at, 1);
      const job = run(file).then((result) => { goOn &&= result; }).finally(() => { ended.add(file); running.delete(job); });
      running.add(job);
      await job;
    }
  };
  const running = new Set<Promise<void>>();
  await Promise.all(Array.from({ length: jobs }, work));
}
