/** A Python process that measures its side of a benchmark on request, so that both sides take turns within one run. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as fs from 'node:fs';
import * as path from 'node:path';

/** BENCH_PYTHON, else bench/.venv (see bench/requirements.txt), else python3. */
export const benchPython = (): string => {
  const own = path.join(__dirname, '.venv', 'bin', 'python');
  return process.env.BENCH_PYTHON ?? (fs.existsSync(own) ? own : 'python3');
};

export class Peer {
  private readonly lines: AsyncIterator<string>;
  private readonly errors: string[] = [];

  private constructor(private readonly child: ChildProcess) {
    child.stderr!.on('data', (text) => this.errors.push(String(text)));
    this.lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts bench/<script>; its first line says what it is (versions, threads). Undefined, with the reason printed, if it cannot run. */
  static async start(script: string, args: string[] = []): Promise<{ peer: Peer; hello: string } | undefined> {
    const child = spawn(benchPython(), [path.join(__dirname, script), ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    const failed = new Promise<string>((resolve) => child.on('error', (error) => resolve(error.message)));
    const peer = new Peer(child);
    const hello = await Promise.race([peer.lines.next().then(({ value }) => value as string | undefined), failed.then(() => undefined)]);
    if (hello) return { peer, hello };
    console.log(`The PyTorch side does not run (${peer.errors.join('').trim().split('\n').at(-1) || 'no Python'}): install bench/requirements.txt, or set BENCH_PYTHON.`);
    return undefined;
  }

  /** Sends a line, returns the answer as JSON. */
  async ask<T>(request: string): Promise<T> {
    this.child.stdin!.write(`${request}\n`);
    const { value } = await this.lines.next();
    if (value === undefined) throw new Error(`The PyTorch side stopped: ${this.errors.join('').trim()}`);
    return JSON.parse(value) as T;
  }

  stop(): void { this.child.stdin!.end(); this.child.kill(); }
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
