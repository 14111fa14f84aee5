/** Executes notebooks, several at a time; writes back those that ran from beginning to end. */
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { buildFolder, findNotebooks, notebooksFolder, pythonEnvironment, root, startPython, writeWhole } from './environment';
import { cleanNotebook, notebookText, sizeProblem, type Notebook } from './notebook-file';
import { RunScreen } from './run-screen';
import { runInOrder, threadEnvironment, type Jobs } from './schedule';

export interface RunOptions {
  /** Minutes that one notebook may take; 0 for as long as it needs. */
  timeout: number;
  /** Folder for the executed notebooks, in place of where they came from. */
  output?: string;
  /** Stop at the first notebook that fails. */
  bail?: boolean;
  /** Where the kernel works. Default notebooks/, so that paths and imports in notebooks read the same here and in JupyterLab. */
  folder?: string;
  /** How many notebooks at a time (`chooseJobs`). */
  jobs: Jobs;
}

export interface RunResult {
  /** Where the executed notebook is, if it passed. */
  written: string;
  name: string;
  passed: boolean;
  cells: number;
  seconds: number;
  /** Highest resident memory of the kernel, in bytes. */
  peak: number | null;
}

export interface CellFailure {
  kind: 'error' | 'timeout' | 'died' | 'skipped' | 'other' | 'size' | 'changed';
  message: string;
  ename?: string;
  traceback?: string[];
  /** Among the code cells, from 1. */
  number?: number | null;
  source?: string;
}

type Event =
  | { event: 'cell'; number: number; total: number }
  | { event: 'progress'; text: string }
  | { event: 'finished'; peak: number | null }
  | ({ event: 'failed' } & CellFailure);

/** Runs Python's side on a copy and follows its reports. */
async function execute(
  name: string, copy: string, options: RunOptions, screen: RunScreen, stop: AbortSignal,
): Promise<{ failure?: CellFailure; peak: number | null; cells: number }> {
  const args = [path.join(__dirname, 'execute.py'), copy, options.folder ?? notebooksFolder, ...(options.timeout > 0 ? [String(options.timeout * 60)] : [])];
  // A group of its own: Ctrl-C reaches this process only, which then ends the other in order.
  const child = startPython(args, {
    stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...pythonEnvironment(), ...threadEnvironment(options.jobs) },
  });
  const end = (): void => { child.kill('SIGTERM'); };
  stop.addEventListener('abort', end);
  let failure: CellFailure | undefined, finished = false, peak: number | null = null, cells = 0, complaints = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { complaints = (complaints + text).slice(-4000); });
  const closed = new Promise<void>((resolve, reject) => child.on('error', reject).on('close', () => resolve()));
  for await (const line of readline.createInterface({ input: child.stdout! })) {
    let event: Event;
    try { event = JSON.parse(line) as Event; } catch { continue; }
    if (event.event === 'cell') {
      cells = event.number;
      screen.cell(name, event.number, event.total);
    } else if (event.event === 'progress') screen.note(name, event.text);
    else if (event.event === 'finished') ({ peak } = event), finished = true;
    else if (event.event === 'failed') failure = event;
  }
  await closed;
  stop.removeEventListener('abort', end);
  if (!finished && !failure) failure = { kind: 'other', message: complaints.trim() || 'the run ended without a result' };
  return { failure, peak, cells };
}

/** Executes one notebook in a temporary copy. */
async function runOne(file: string, options: RunOptions, screen: RunScreen, stop: AbortSignal): Promise<{ result: RunResult; failure?: CellFailure }> {
  const name = path.basename(file, '.ipynb');
  const original = fs.readFileSync(file, 'utf8');
  const copy = path.join(buildFolder, 'notebooks', `${name}.ipynb`);
  writeWhole(copy, original);
  const start = performance.now();
  screen.start(name);
  const { failure: failed, peak, cells } = await execute(name, copy, options, screen, stop);
  let failure = failed;
  const target = options.output ? path.join(options.output, `${name}.ipynb`) : file;
  if (!failure) {
    const notebook = cleanNotebook(JSON.parse(fs.readFileSync(copy, 'utf8')) as Notebook);
    const tooLarge = sizeProblem(notebook);
    if (tooLarge) failure = { kind: 'size', message: tooLarge };
    else if (target === file && fs.readFileSync(file, 'utf8') !== original) {
      failure = { kind: 'changed', message: 'the notebook was changed while it ran, so its outputs were not written over it; run it again.' };
    } else {
      writeWhole(target, notebookText(notebook));
      fs.rmSync(copy);
    }
  }
  const result = { written: target, name, passed: !failure, cells, seconds: (performance.now() - start) / 1000, peak };
  screen.finish(result);
  if (failure && !stop.aborted) screen.fail(name, failure, path.relative(root, copy));
  return { result, failure };
}

/** Runs the named notebooks (all by default) and prints the table. Resolves to the results; throws only for what precedes a run. */
export async function runNotebooks(names: readonly string[], options: RunOptions): Promise<RunResult[]> {
  const files = findNotebooks(names);
  const screen = new RunScreen();
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const results: RunResult[] = [];
  try {
    await runInOrder(files, options.jobs.jobs, async (file) => {
      const { result } = await runOne(file, options, screen, stop.signal);
      if (stop.signal.aborted && !result.passed) return false; // neither passed nor failed
      results.push(result);
      return !stop.signal.aborted && (result.passed || !options.bail);
    });
    results.sort((a, b) => a.name.localeCompare(b.name));
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  if (stop.signal.aborted) {
    screen.line('Stopped; what was running is as it was before.');
    process.exitCode = 130;
  }
  screen.table(results, files.length);
  return results;
}
