/** Fuzzing: cases run in a process of their own, which is watched, ended where it hangs, and started again behind a case that killed it. */
import { fork } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { caseFiles, type FuzzTarget } from './target';
import { writeCase, type WorkerMessage, type WorkerTask } from './worker';

export interface FuzzOptions {
  readonly seed: number;
  /** The first case of the first target, default 0. */
  readonly from?: number;
  /** How many of each target, default as many as time allows. */
  readonly cases?: number;
  /** For each target; default no limit. */
  readonly seconds?: number;
  /** A case that takes longer hangs. Default 20. */
  readonly caseSeconds?: number;
  /** Where failing inputs are kept. */
  readonly output: string;
  /** The module that exports `targets`. */
  readonly module?: string;
}

export interface FuzzFailure {
  readonly target: string;
  readonly index: number;
  readonly reason: string;
  readonly detail: string;
  /** Of the input; what is known about it stands in a .log of the same name. */
  readonly folder: string;
}

export interface FuzzResult { readonly target: string; readonly cases: number; readonly accepted: number; readonly failures: readonly FuzzFailure[] }

/** Alike but for numbers: found more than once, it is kept once. */
const likeness = (reason: string, detail: string): string =>
  `${reason} ${detail.split('\n').filter((line) => /^\s+at /.test(line)).slice(0, 2).join(' ')}`.replace(/\d+/g, '#');

/** What is known of a target so far. */
interface Tally { target: FuzzTarget; cases: number; accepted: number; failures: Map<string, FuzzFailure> }

export async function fuzz(targets: readonly FuzzTarget[], options: FuzzOptions): Promise<FuzzResult[]> {
  const { seed, cases = Infinity, seconds = Infinity, caseSeconds = 20, output, module = path.join(__dirname, 'targets',
    'index.ts') } = options;
  const tallies: Tally[] = targets.map((target) => ({ target, cases: 0, accepted: 0, failures: new Map<string, FuzzFailure>() }));
  const fail = async (tally: Tally, index: number, reason: string, detail: string): Promise<void> => {
    const key = likeness(reason, detail), { target, failures } = tally;
    if (failures.has(key)) return;
    const folder = path.join(output, `${target.name}-${seed}-${index}`);
    failures.set(key, { target: target.name, index, reason, detail, folder });
    writeCase(folder, caseFiles(target, await target.seeds(), seed, index));
    fs.writeFileSync(`${folder}.log`,
      `${reason}\n\nAgain: npm run fuzz -- --target ${target.name} --seed ${seed} --case ${index}\n\n${detail}\n`);
  };
  let place = 0, from = options.from ?? 0, left = cases, time = seconds;
  while (place < targets.length) {
    const rest = tallies.slice(place), began = Date.now();
    const stop = await runWorker({ module, names: rest.map(({ target }) => target.name), seed, from, cases: left, seconds: time },
      caseSeconds, {
      failure: ({ target, index, reason, detail }) => fail(rest.find((one) => one.target.name === target)!, index, reason, detail),
      done: (message) => {
        const tally = rest.find((one) => one.target.name === message.target)!;
        [tally.cases, tally.accepted] = [tally.cases + message.cases, tally.accepted + message.accepted];
      },
    });
    if (!stop) break;
    // The case that ended the process is passed over; those of its target before it are not counted as read.
    const tally = rest[stop.place], first = stop.place === 0 ? from : 0, done = stop.index + 1 - first;
    await fail(tally, stop.index, stop.reason, stop.detail);
    tally.cases += done;
    place += stop.place;
    from = stop.index + 1;
    left = (stop.place === 0 ? left : cases) - done;
    time = (stop.place === 0 ? time : seconds) - (Date.now() - began) / 1000;
    if (left <= 0 || time <= 0) [place, from, left, time] = [place + 1, 0, cases, seconds];
  }
  return tallies.map(({ target, failures, ...counts }) => ({ target: target.name, ...counts, failures: [...failures.values()] }));
}

interface Listener {
  failure: (message: Extract<WorkerMessage, { kind: 'failure' }>) => Promise<void>;
  done: (message: Extract<WorkerMessage, { kind: 'done' }>) => void;
}

interface Stop { place: number; index: number; reason: string; detail: string }

/** One process, until its targets are done: then undefined. */
async function runWorker(task: Omit<WorkerTask, 'folder' | 'progress'>, caseSeconds: number,
  listener: Listener): Promise<Stop | undefined> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'fuzz-')), folder = path.join(scratch, 'inputs'), progress = path.join(scratch,
    'progress');
  const child = fork(path.join(__dirname, 'worker.ts'), {
    execArgv: ['-r', 'tsx/cjs', '--max-old-space-size=1024'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: { ...process.env,
      TF_CPP_MIN_LOG_LEVEL: '3' },
    // Infinity has no place in JSON.
    serialization: 'advanced',
  });
  const standing = (): string => (fs.existsSync(progress) ? fs.readFileSync(progress, 'utf8').trim() : '');
  const kept: Promise<void>[] = [];
  let complaints = '', hung = false, seen = standing(), since = Date.now(), finished = 0;
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { complaints = (complaints + text).slice(-6000); });
  child.on('message', (message: WorkerMessage) => {
    since = Date.now();
    if (message.kind === 'failure') kept.push(listener.failure(message));
    else { listener.done(message); finished++; }
  });
  const watch = setInterval(() => {
    const now = standing();
    if (now !== seen) [seen, since] = [now, Date.now()];
    // The first case waits for everything to be loaded.
    if (Date.now() - since < caseSeconds * 1000 + (now === '' ? 60_000 : 0)) return;
    hung = true;
    child.kill('SIGKILL');
  }, 200);
  child.send({ ...task, folder, progress } satisfies WorkerTask);
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  clearInterval(watch);
  await Promise.all(kept);
  const last = standing();
  fs.rmSync(scratch, { recursive: true, force: true });
  if (finished === task.names.length) return undefined;
  if (last === '') throw new Error(`The target ${task.names[finished]} did not begin: ${complaints.trim() || `the process ended with ${code}`}`);
  const [place, index] = last.split(' ').map(Number);
  return { place, index, reason: hung ? `it took more than ${caseSeconds} seconds` : 'the process ended', detail: complaints };
}
