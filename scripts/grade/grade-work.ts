/** Runs the notebooks of a work list, or a share of them, several at a time; what is done already is not done again. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { outputDifferences } from '../notebooks/compare';
import { python, pythonEnvironment, requireSetup, root, writeWhole } from '../notebooks/environment';
import { cleanNotebook, notebookText, type Notebook } from '../notebooks/notebook-file';
import { threadEnvironment } from '../notebooks/schedule';
import { codeCells, notExecuted, runNotebook } from './run-notebook';
import { removeStaleScratch } from './scratch';
import { scoresOf } from './scores';
import { clearedNotebook, parseSubmission } from './submissions';
import type { Result, Work } from './work';

export interface GradeOptions {
  /** Notebooks at a time; default as many as there are cores, and memory for. */
  jobs?: number;
  /** The i-th of n parts, from 1. */
  shard?: { index: number; count: number };
  signal: AbortSignal;
  onResult?: (progress: { names: string[]; result: Result; done: number; total: number }) => void;
}

const nothing = { ran: 0, cells: 0, seconds: 0, peak: 0, scores: {}, differences: [], page: false };
const MOST_DIFFERENCES = 100, EXPORT_MILLISECONDS = 120_000;

/** As many as there are cores, but no more than there is memory for at the limit of each. */
export const defaultJobs = (megabytes: number, cores = os.availableParallelism(), memory = os.totalmem()): number =>
  Math.max(1, Math.min(cores, Math.floor((0.9 * memory) / (megabytes * 1e6))));

/** @returns whether all of the share is done now */
export async function gradeWork(
  work: Work, { jobs = defaultJobs(work.settings.memory), shard, signal, onResult }: GradeOptions,
): Promise<boolean> {
  requireSetup();
  removeStaleScratch();
  const share = work.keys.filter((_, i) => !shard || i % shard.count === shard.index - 1);
  const waiting = share.filter((key) => { const result = work.result(key); return !result || result.status === 'error'; });
  const namesOf = (key: string) => work.submissions.filter((each) => each.key === key).map(({ name }) => name);
  const threads = Math.max(1, Math.floor(os.availableParallelism() / jobs));
  const environment = { PROFILE: work.settings.profile, ...threadEnvironment({ jobs, threads: jobs > 1 ? threads : undefined }) };
  let done = share.length - waiting.length;
  const one = async (): Promise<void> => {
    for (let key; !signal.aborted && (key = waiting.shift()) !== undefined;) {
      // Whatever is odd about one must not stop the others.
      const result = await gradeOne(work, key, environment, signal)
        .catch((error: Error) => ({ ...nothing, status: 'error' as const, message: String(error.stack).slice(0, 2000) }));
      // What was stopped is done again, as what a kill cut off.
      if (signal.aborted) return;
      work.save(key, result);
      done++;
      onResult?.({ names: namesOf(key), result: { settings: work.settings, ...result }, done, total: share.length });
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, waiting.length) }, one));
  return done === share.length;
}

async function gradeOne(
  work: Work, key: string, environment: NodeJS.ProcessEnv, signal: AbortSignal,
): Promise<Omit<Result, 'settings'>> {
  let submitted: Notebook;
  try { submitted = parseSubmission(fs.readFileSync(work.notebook(key), 'utf8')); } catch (error) {
    return { ...nothing, status: 'invalid', message: (error as Error).message.slice(0, 1000) };
  }
  const cells = codeCells(submitted);
  const { notebook, ...run } = await runNotebook(clearedNotebook(submitted), work.settings, environment, signal);
  if (!notebook) return { ...nothing, ...run, cells };
  writeWhole(work.executed(key), notebookText(cleanNotebook(notebook)));
  const hasOutputs = submitted.cells.some(({ outputs }) => outputs?.length);
  return {
    ...run, cells, ran: cells - notExecuted(notebook), scores: scoresOf(notebook),
    differences: hasOutputs ? differencesOf(submitted, notebook) : ['handed in without outputs'],
    page: await exportPage(work.executed(key), work.pages),
  };
}

function differencesOf(submitted: Notebook, notebook: Notebook): string[] {
  const differences = outputDifferences(cleanNotebook(submitted), cleanNotebook(notebook)), rest = differences.length - MOST_DIFFERENCES;
  return rest > 0 ? [...differences.slice(0, MOST_DIFFERENCES), `and ${rest} more`] : differences;
}

/** A stranger's outputs may be anything: a page that cannot be made is no fault of the run. */
async function exportPage(notebook: string, folder: string): Promise<boolean> {
  const args = [path.join(root, 'scripts/notebooks/export.py'), '--still', folder, '-', notebook];
  const options = { cwd: root, env: pythonEnvironment(), timeout: EXPORT_MILLISECONDS };
  return promisify(execFile)(python, args, options).then(() => true, () => false);
}
