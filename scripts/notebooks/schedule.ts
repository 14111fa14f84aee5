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

/** Minutes that a notebook takes unless it says otherwise. */
const USUAL_MINUTES = 2;

export interface Plan {
  /** Beginnings of names of notebooks whose results it goes on with. */
  after: string[];
  /** About what it takes on small data. */
  minutes: number;
}

/**
 * What a notebook's metadata (`captioning`) says of when it is to run.
 *
 * @throws NotebookError if `after` is no list of texts or `minutes` no number
 */
export function planOf(notebook: Notebook, name: string): Plan {
  const { after = [], minutes = USUAL_MINUTES } = (notebook.metadata.captioning ?? {}) as { after?: unknown; minutes?: unknown };
  const wrong = (key: string, value: unknown, expected: string): NotebookError =>
    new NotebookError(`${name}: captioning.${key} in its metadata is ${JSON.stringify(value)}: expected ${expected}.`);
  if (!Array.isArray(after) || !after.every((one) => typeof one === 'string')) throw wrong('after', after, 'a list such as ["02"]');
  if (typeof minutes !== 'number' || !(minutes > 0)) throw wrong('minutes', minutes, 'a number above 0');
  return { after, minutes };
}

/**
 * Runs `run` for every file, up to `jobs` at a time: none before those it goes on with, as far as they are among the files, and first the
 * ones behind which the longest work waits. `run` resolves to whether to go on.
 */
export async function runInOrder(files: readonly string[], jobs: number, run: (file: string) => Promise<boolean>): Promise<void> {
  const nameOf = (file: string) => path.basename(file, '.ipynb');
  const plans = new Map(files.map((file) => [file, planOf(JSON.parse(fs.readFileSync(file, 'utf8')) as Notebook, nameOf(file))]));
  const before = new Map(files.map((file) =>
    [file, files.filter((other) => other !== file && plans.get(file)!.after.some((name) => nameOf(other).startsWith(name)))]));
  /** Minutes until all is done that waits for it; notebooks that wait for each other are found later. */
  const minutesFrom = (file: string, path: readonly string[] = []): number => {
    const next = files.filter((other) => before.get(other)!.includes(file) && !path.includes(other));
    return plans.get(file)!.minutes + Math.max(0, ...next.map((other) => minutesFrom(other, [...path, file])));
  };
  const waiting = [...files].sort((a, b) => minutesFrom(b) - minutesFrom(a)), ended = new Set<string>();
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
