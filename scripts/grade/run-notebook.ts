/** Executes one notebook under limits of time and memory, and believes nothing that the notebook could have made up. */
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import readline from 'node:readline';
import path from 'node:path';
import { root, startPython } from '../notebooks/environment';
import type { CellFailure } from '../notebooks/run';
import { notebookText, textOf, type Notebook } from '../notebooks/notebook-file';
import { killAll, MARK, memoryOf, processesOf } from './processes';
import { makeScratch } from './scratch';
import type { GradeSettings, Status } from './work';

export interface Run {
  status: Status;
  message: string;
  /** What ran, complete or not; undefined when nothing trustworthy was left. */
  notebook?: Notebook;
  seconds: number;
  peak: number;
}

type Report = { word?: string } & (
  { event: 'finished' | 'cell' | 'progress' } | { event: 'written'; sha256: string } | ({ event: 'failed' } & CellFailure));

/** Between looks at the memory, in ms; for the kernel's start and end beyond the time limit, in s. */
const WATCH = 250, GRACE = 150;
const MOST_BYTES = 50e6;
const STATUS: Partial<Record<CellFailure['kind'], Status>> = { error: 'failed', skipped: 'failed', timeout: 'timeout', died: 'died' };

/** What a terminal or a browser could take for more than text is dropped. */
const plain = (text: string): string => text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '').replace(/[^\P{Cc}\n\t]/gu, '').slice(0, 4000);

/** @param environment what the notebook is told, such as PROFILE */
export async function runNotebook(
  cleared: Notebook, { timeout, memory }: GradeSettings, environment: NodeJS.ProcessEnv, signal: AbortSignal,
): Promise<Run> {
  const mark = randomBytes(12).toString('hex'), word = randomBytes(24).toString('hex');
  const scratch = makeScratch({ ...environment, [MARK]: mark }), start = performance.now();
  let peak = 0, ended: { status: Status; message: string } | undefined;
  let failure: CellFailure | undefined, finished = false, digest: string | undefined, complaints = '';
  try {
    fs.writeFileSync(scratch.copy, notebookText(cleared));
    const args = [path.join(root, 'scripts/notebooks/execute.py'), scratch.copy, scratch.notebooks, String(timeout * 60)];
    const child = startPython(args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: scratch.environment });
    // When the machine runs out of memory, the system ends the notebook first and the grader last.
    try { fs.writeFileSync(`/proc/${child.pid}/oom_score_adj`, '1000'); } catch { /* no Linux, or not allowed */ }
    child.stdin!.on('error', () => {}).write(`${word}\n`);
    const end = (status: Status, message: string): void => {
      ended ??= { status, message };
      void killAll(mark, child.pid);
    };
    const stop = () => end('error', 'stopped');
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const watch = setInterval(() => {
      const used = memoryOf(processesOf(mark));
      peak = Math.max(peak, used);
      if (used > memory * 1e6) end('memory', `more than ${memory} MB of memory`);
      else if (performance.now() - start > (timeout * 60 + GRACE) * 1000) end('timeout', `not done after ${timeout} min`);
    }, WATCH);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => { complaints = (complaints + text).slice(-4000); });
    const closed = new Promise<void>((resolve, reject) => child.on('error', reject).on('exit', () => resolve()));
    closed.catch(() => {});
    const read = (async () => {
      for await (const line of readline.createInterface({ input: child.stdout! })) {
        let report: Report;
        try { report = JSON.parse(line) as Report; } catch { continue; }
        if (report?.word !== word) continue;
        if (report.event === 'finished') finished = true;
        else if (report.event === 'failed') failure = report;
        else if (report.event === 'written') digest = report.sha256;
      }
    })();
    try {
      await closed;
      // Before the file is read: nobody is left who could change it.
      await killAll(mark);
      await read;
    } finally {
      clearInterval(watch);
      signal.removeEventListener('abort', stop);
    }
    return { ...verdict(), seconds: (performance.now() - start) / 1000, peak };
  } finally {
    await killAll(mark);
    fs.rmSync(scratch.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  function verdict(): Pick<Run, 'status' | 'message' | 'notebook'> {
    const notebook = executedNotebook(scratch.copy, digest, cleared);
    if (ended) return { ...ended, notebook };
    if (failure) {
      const { number, ename, kind, message } = failure, where = `${number ? `code cell ${number}: ` : ''}${ename ? `${ename}: ` : ''}`;
      return { status: STATUS[kind] ?? 'error', message: plain(`${where}${message}`), notebook };
    }
    if (!finished || !notebook) {
      const message = plain(`the run was cut off from within, or its outputs are too large. ${complaints.trim()}`);
      return { status: 'failed', message, notebook };
    }
    const missing = notExecuted(notebook);
    if (missing > 0) return { status: 'failed', message: `${missing} cells were not executed in this run`, notebook };
    return { status: 'passed', message: '', notebook };
  }
}

/** The runner's file, if it is what the runner wrote: the same bytes, the same sources. */
function executedNotebook(file: string, digest: string | undefined, cleared: Notebook): Notebook | undefined {
  if (digest === undefined || fs.statSync(file).size > MOST_BYTES) return undefined;
  const bytes = fs.readFileSync(file);
  if (createHash('sha256').update(bytes).digest('hex') !== digest) return undefined;
  const notebook = JSON.parse(bytes.toString('utf8')) as Notebook;
  const sources = ({ cells }: Notebook) => JSON.stringify(cells.map(({ source }) => textOf(source)));
  return sources(notebook) === sources(cleared) ? notebook : undefined;
}

const codeOf = ({ cells }: Notebook) => cells.filter(({ cell_type, source }) => cell_type === 'code' && textOf(source).trim() !== '');

/** Cells with code that carry no count of this run; outputs and counts were taken away before it. */
export const notExecuted = (notebook: Notebook): number => codeOf(notebook).filter(({ execution_count }) => execution_count == null).length;

export const codeCells = (notebook: Notebook): number => codeOf(notebook).length;
