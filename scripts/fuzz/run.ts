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
  /** Processes side by side, each of which takes its share of the targets. Default 1. */
  readonly jobs?: number;
  /** Where failing inputs are kept. */
  readonly output: string;
  /** The module that exports `targets`. */
  readonly module?: string;
  /** Told of each target when it is done. */
  readonly onResult?: (result: FuzzResult) => void;
}

export interface FuzzFailure {
  readonly target: string;
  readonly index: number;
  readonly reason: string;
  readonly detail: string;
  /** Of the input; what is known about it stands in a .log of the same name. */
  readonly folder: string;
  /** The command that runs this case alone. */
  readonly again: string;
}

export interface FuzzResult { readonly target: string; readonly cases: number; readonly accepted: number; readonly failures: readonly FuzzFailure[] }

/** Milliseconds between two looks at where a process stands. */
const LOOKS_EVERY = 200;

/** Milliseconds more for a target's seeds and what it loads and compiles. */
const LOADING = 60_000;

/** Alike but for numbers: found more than once, it is kept once. */
const likeness = (reason: string, detail: string): string =>
  `${reason} ${detail.split('\n').filter((line) => /^\s+at /.test(line)).slice(0, 2).join(' ')}`.replace(/\d+/g, '#');

/** What is known of a target so far. */
interface Tally { target: FuzzTarget; cases: number; accepted: number; failures: Map<string, FuzzFailure> }

const resultOf = ({ target: { name }, cases, accepted, failures }: Tally): FuzzResult =>
  ({ target: name, cases, accepted, failures: [...failures.values()] });

/** Runs cases of all targets; the results are in the targets' order. */
export async function fuzz(targets: readonly FuzzTarget[], options: FuzzOptions): Promise<FuzzResult[]> {
  const jobs = Math.max(1, Math.min(options.jobs ?? 1, targets.length));
  const lanes = Array.from({ length: jobs }, (_, lane) => targets.filter((_, i) => i % jobs === lane));
  const results = (await Promise.all(lanes.map((lane) => fuzzInTurn(lane, options)))).flat();
  return targets.map(({ name }) => results.find(({ target }) => target === name)!);
}

/** One target after the other, in as few processes as can be. */
async function fuzzInTurn(targets: readonly FuzzTarget[], options: FuzzOptions): Promise<FuzzResult[]> {
  const { seed, cases = Infinity, seconds = Infinity, caseSeconds = 20, module = path.join(__dirname, 'targets', 'index.ts') } = options;
  const tallies: Tally[] = targets.map((target) => ({ target, cases: 0, accepted: 0, failures: new Map<string, FuzzFailure>() }));
  const told = (tally: Tally): void => options.onResult?.(resultOf(tally));
  let place = 0, from = options.from ?? 0, left = cases, time = seconds;
  while (place < targets.length) {
    const rest = tallies.slice(place), names = rest.map(({ target }) => target.name), began = Date.now();
    const task = { module, names, seed, from, cases: left, seconds: time };
    const stop = await runWorker(task, caseSeconds, async (message) => {
      const tally = rest[names.indexOf(message.target)];
      if (message.kind === 'failure') return keep(tally, message, options);
      tally.cases += message.cases;
      tally.accepted += message.accepted;
      told(tally);
    });
    if (!stop) break;
    // The case that ended the process is passed over; those of its target before it are not counted as read.
    const tally = rest[stop.place], first = stop.place === 0 ? from : 0, done = stop.index + 1 - first;
    await keep(tally, stop, options);
    tally.cases += done;
    place += stop.place;
    from = stop.index + 1;
    left = (stop.place === 0 ? left : cases) - done;
    time = (stop.place === 0 ? time : seconds) - (Date.now() - began) / 1000;
    if (left <= 0 || time <= 0) {
      told(tally);
      [place, from, left, time] = [place + 1, 0, cases, seconds];
    }
  }
  return tallies.map(resultOf);
}

/** Writes a failing input, unless one like it is kept already. */
async function keep(tally: Tally, { index, reason, detail }: Pick<FuzzFailure, 'index' | 'reason' | 'detail'>,
  { seed, output }: FuzzOptions): Promise<void> {
  const key = likeness(reason, detail), { target, failures } = tally, { name } = target;
  if (failures.has(key)) return;
  const folder = path.join(output, `${name}-${seed}-${index}`), again = `npm run fuzz -- --target ${name} --seed ${seed} --case ${index}`;
  failures.set(key, { target: name, index, reason, detail, folder, again });
  writeCase(folder, caseFiles(target, await target.seeds(), seed, index));
  fs.writeFileSync(`${folder}.log`, `${reason}\n\nAgain: ${again}\n\n${detail}\n`);
}

interface Stop { place: number; index: number; reason: string; detail: string }

/** One process, until its targets are done: then undefined. Messages are taken one after the other. */
async function runWorker(task: Omit<WorkerTask, 'folder' | 'progress'>, caseSeconds: number,
  take: (message: WorkerMessage) => Promise<void>): Promise<Stop | undefined> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'fuzz-'));
  const folder = path.join(scratch, 'inputs'), progress = path.join(scratch, 'progress');
  const child = fork(path.join(__dirname, 'worker.ts'), {
    execArgv: ['-r', 'tsx/cjs', '--max-old-space-size=1024'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
    // Infinity has no place in JSON.
    serialization: 'advanced',
  });
  const standing = (): string => (fs.existsSync(progress) && fs.readFileSync(progress, 'utf8').trim()) || '0 -1';
  let taken = Promise.resolve(), complaints = '', hung = false, seen = standing(), since = Date.now(), finished = 0;
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { complaints = (complaints + text).slice(-6000); });
  child.on('message', (message: WorkerMessage) => {
    since = Date.now();
    if (message.kind === 'done') finished++;
    taken = taken.then(() => take(message));
  });
  let looked = Date.now();
  const watch = setInterval(() => {
    const now = standing(), late = Date.now() - looked - LOOKS_EVERY;
    looked = Date.now();
    // Who comes late was stopped or asleep, and the case with it.
    if (late > 1000) since += late;
    if (now !== seen) [seen, since] = [now, looked];
    if (looked - since < caseSeconds * 1000 + (now.endsWith(' -1') ? LOADING : 0)) return;
    hung = true;
    child.kill('SIGKILL');
  }, LOOKS_EVERY);
  child.send({ ...task, folder, progress } satisfies WorkerTask);
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  clearInterval(watch);
  await taken;
  const [place, index] = standing().split(' ').map(Number);
  fs.rmSync(scratch, { recursive: true, force: true });
  if (finished === task.names.length) return undefined;
  if (index < 0) {
    const why = hung ? 'it took too long' : complaints.trim() || `the process ended with ${code}`;
    throw new Error(`The target ${task.names[place]} did not begin: ${why}`);
  }
  return { place, index, reason: hung ? `it took more than ${caseSeconds} seconds` : 'the process ended', detail: complaints };
}
