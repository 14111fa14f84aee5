/**
 * Threads that prepare pictures. Started on first use and shared by all loaders of the process; while they have nothing to do they
 * do not keep the process alive, so nothing has to close them.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ImageAnswer, ImageJob } from './image-worker';
import { ImageError } from './rgb-image';

/** A prepared picture: HWC floats. */
export interface PreparedImage {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

interface Pending {
  readonly file: string;
  readonly settle: (result: PreparedImage | ImageError | undefined) => void;
}

/** Threads when the caller does not say how many: the cores there are, up to four, which is enough to feed the networks here. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(4, availableParallelism()));
}

/** One thread and the pictures it has not answered for. */
class ImageThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  /** Set when the thread has died; it takes no more pictures then. */
  dead = false;

  constructor() {
    this.worker = startWorker();
    this.worker.unref();
    this.worker.on('message', (answer: ImageAnswer) => this.take(answer));
    this.worker.on('error', (error) => this.die(`the decoding thread failed: ${error instanceof Error ? error.message : String(error)}`));
    this.worker.on('exit', (code) => this.die(`the decoding thread ended (${code})`));
  }

  get load(): number {
    return this.pending.size;
  }

  post(job: ImageJob, file: string): Promise<PreparedImage | ImageError | undefined> {
    return new Promise((settle) => {
      this.pending.set(job.id, { file, settle });
      this.worker.ref();
      this.worker.postMessage(job);
    });
  }

  private take(answer: ImageAnswer): void {
    const pending = this.pending.get(answer.id);
    this.pending.delete(answer.id);
    if (this.pending.size === 0) this.worker.unref();
    if ('data' in answer) pending?.settle(answer);
    else pending?.settle('reason' in answer ? new ImageError(answer.file, answer.reason) : undefined);
  }

  private die(reason: string): void {
    this.dead = true;
    for (const { file, settle } of this.pending.values()) settle(new ImageError(file, `${reason}; try again with fewer threads.`));
    this.pending.clear();
  }
}

/**
 * The compiled worker beside this file. Where the library runs from its TypeScript sources, a worker inherits no loader for them, so
 * the one in use here is named to it.
 */
function startWorker(): Worker {
  const shared = { execArgv: [], name: 'images' };
  if (!__filename.endsWith('.ts')) return new Worker(join(__dirname, 'image-worker.js'), shared);
  const script = `require(${JSON.stringify(require.resolve('tsx/cjs'))}); require(${JSON.stringify(join(__dirname, 'image-worker.ts'))});`;
  return new Worker(script, { ...shared, eval: true });
}

const threads: ImageThread[] = [];
let nextId = 0;

/**
 * Prepares a picture on the least busy of the first `count` threads. Resolves with the error rather than rejecting, since results
 * are asked for ahead of being looked at; with undefined when `cancelled` was set before the picture's turn came.
 */
export function prepareOnThread(
  source: string | Uint8Array,
  options: string,
  count: number,
  cancelled: Int32Array,
): Promise<PreparedImage | ImageError | undefined> {
  let chosen: ImageThread | undefined;
  for (let index = 0; index < count; index++) {
    if (!threads[index] || threads[index].dead) threads[index] = new ImageThread();
    if (!chosen || threads[index].load < chosen.load) chosen = threads[index];
  }
  const file = typeof source === 'string' ? source : 'image in memory';
  return chosen!.post({ id: nextId++, source, options, cancelled }, file);
}
