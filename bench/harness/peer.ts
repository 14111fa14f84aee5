/** A Python process that does its side of a benchmark on request, so that all sides take turns within one run. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as fs from 'node:fs';
import * as path from 'node:path';

const bench = path.join(__dirname, '..');

/** BENCH_PYTHON, else bench/.venv (see bench/requirements.txt), else python3. */
export const benchPython = (): string => {
  const own = path.join(bench, '.venv', 'bin', 'python');
  return process.env.BENCH_PYTHON ?? (fs.existsSync(own) ? own : 'python3');
};

/** What a Python side says of itself before it does anything. */
interface Hello { versions: string; threads: number }

export class Peer {
  private readonly lines: AsyncIterator<string>;
  private readonly errors: string[] = [];
  private hello!: Hello;

  private constructor(private readonly child: ChildProcess) {
    child.stderr!.on('data', (text) => this.errors.push(String(text)));
    child.stdin!.on('error', () => {}); // `ask` says why it ended
    this.lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts bench/<script>. Undefined, with the reason printed, if it cannot run. */
  static async start(script: string, ...args: string[]): Promise<Peer | undefined> {
    const child = spawn(benchPython(), [path.join(bench, script), ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    const failed = new Promise<undefined>((resolve) => child.on('error', () => resolve(undefined)));
    const peer = new Peer(child);
    const hello = await Promise.race([peer.lines.next().then(({ value }) => value as string | undefined), failed]);
    if (hello === undefined) {
      const reason = peer.errors.join('').trim().split('\n').at(-1)?.slice(0, 300) || `no ${benchPython()}`;
      console.log(`${script} does not run (${reason}): install bench/requirements.txt, or set BENCH_PYTHON.`);
      return undefined;
    }
    peer.hello = JSON.parse(hello) as Hello;
    return peer;
  }

  /** Versions and threads, for the report. */
  get description(): string { return `${this.hello.versions}, ${this.hello.threads} threads`; }

  /** Calls a function of the script by name. */
  async ask<T>(what: string, parameters: object = {}): Promise<T> {
    this.child.stdin!.write(`${JSON.stringify({ what, ...parameters })}\n`);
    const { value } = await this.lines.next();
    if (value === undefined) throw new Error(`The Python side stopped: ${this.errors.join('').trim()}`);
    return JSON.parse(value) as T;
  }

  stop(): void {
    this.child.stdin!.end();
    this.child.kill();
  }
}
