/**
 * Threads that prepare batches of pictures. Started on first use and shared by all loaders of the process; while they have nothing
 * to do they do not keep the process alive, so nothing has to close them.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BatchAnswer, BatchJob } from './image-worker';
import { ImageError } from './rgb-image';

interface Pending {
  readonly job: BatchJob;
  readonly settle: (result: BatchAnswer | ImageError) => void;
}

/** Threads when the caller does not say how many: the cores there are, up to four, which is enough to feed the networks here. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(4, availableParallelism()));
}

/** One thread and the batches it has not answered. */
class ImageThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  /** Set when the thread has died; it takes no more batches then. */
  dead = false;

  constructor() {
    this.worker = startWorker();
    this.worker.on('message', (answer: BatchAnswer) => this.take(answer));
    this.worker.on('error', (error) => this.die(`the decoding thread failed (${error instanceof Error ? error.message : String(error)})`));
    this.worker.on('exit', (code) => this.die(`the decoding thread ended with ${code}`));
    // After the listeners: one for messages makes a worker keep the process again.
    this.worker.unref();
  }

  /** Pictures asked for and not delivered. */
  get load(): number {
    let pictures = 0;
    for (const { job } of this.pending.values()) pictures += job.sources.length;
    return pictures;
  }

  post(job: BatchJob): Promise<BatchAnswer | ImageError> {
    return new Promise((settle) => {
      this.pending.set(job.id, { job, settle });
      this.worker.ref();
      this.worker.postMessage(job);
    });
  }

  private take(answer: BatchAnswer): void {
    this.pending.get(answer.id)?.settle(answer);
    this.pending.delete(answer.id);
    if (this.pending.size === 0) this.worker.unref();
  }

  private die(reason: string): void {
    this.dead = true;
    for (const { job, settle } of this.pending.values()) {
      const first = typeof job.sources[0] === 'string' ? job.sources[0] : 'image in memory';
      settle(new ImageError(first, `${reason} on this picture or one of the ${job.sources.length - 1} after it; try again with fewer threads.`));
    }
    this.pending.clear();
  }
}

/**
 * The compiled worker beside this file. Where the library runs from its TypeScript sources, a worker inherits no loader for them, so
 * it is told which.
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
 * Prepares a batch on the least busy of the first `count` threads. Resolves with the error of a thread that died rather than
 * rejecting, since batches are asked for ahead of being looked at.
 */
export function prepareOnThread(job: Omit<BatchJob, 'id'>, count: number): Promise<BatchAnswer | ImageError> {
  let chosen: ImageThread | undefined;
  for (let index = 0; index < count; index++) {
    if (!threads[index] || threads[index].dead) threads[index] = new ImageThread();
    if (!chosen || threads[index].load < chosen.load) chosen = threads[index];
  }
  return chosen!.post({ ...job, id: nextId++ });
}
