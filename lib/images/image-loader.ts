/**
 * Batches of pictures prepared ahead of the network that takes them: while a training step runs, threads decode and resize what it
 * will want next, also while TensorFlow keeps the main thread busy.
 */
import { ImageBatch, ImageProcessor } from './image-processor';
import { defaultThreads, prepareOnThread } from './image-threads';
import type { BatchAnswer } from './image-worker';
import { ImageError } from './rgb-image';

export interface ImageLoaderOptions {
  readonly batchSize?: number;
  /** Threads that decode and resize; default: the cores, up to four. */
  readonly threads?: number;
  /**
   * Batches prepared beyond the one being used, each on one thread; more cost memory (a batch of 32 at 224×224 is 19 MB). Default: as
   * many as threads.
   */
  readonly readAhead?: number;
  /**
   * What a picture that cannot be read does: `throw` ends the run with an ImageError that names it; `skip` leaves it out, which makes
   * its batch smaller, and lists it in `skipped`. Default `throw`.
   */
  readonly onBadImage?: 'throw' | 'skip';
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
}

/** A batch, and the positions in the loader's `sources` of the pictures in it. */
export interface LoadedBatch extends ImageBatch {
  readonly indices: readonly number[];
}

/**
 * Iterates over `sources` in order, in batches. Can be iterated again, and several loaders can run at once. Leaving the loop early
 * (break, throw) cancels what was asked for ahead.
 *
 * ```ts
 * for await (const { data, shape, indices } of new ImageLoader(dataset.images(), processor, { batchSize: 32 })) …
 * ```
 */
export class ImageLoader implements AsyncIterable<LoadedBatch> {
  /** Pictures left out so far by `onBadImage: 'skip'`, each once. */
  readonly skipped: ImageError[] = [];
  private readonly skippedIndices = new Set<number>();
  private readonly batchSize: number;
  private readonly threads: number;
  private readonly readAhead: number;
  private readonly onBadImage: 'throw' | 'skip';
  private readonly dropLast: boolean;

  constructor(
    readonly sources: readonly (string | Uint8Array)[],
    readonly processor: ImageProcessor,
    options: ImageLoaderOptions = {},
  ) {
    const { batchSize = 32, threads = defaultThreads(), readAhead = threads, onBadImage = 'throw', dropLast = false } = options;
    for (const [name, value, least] of [['batchSize', batchSize, 1], ['threads', threads, 1], ['readAhead', readAhead, 0]] as const) {
      if (!Number.isInteger(value) || value < least) throw new RangeError(`${name} is ${value}; expected a whole number, ${least} or more.`);
    }
    this.batchSize = batchSize;
    this.threads = Math.min(threads, 64);
    this.readAhead = readAhead;
    this.onBadImage = onBadImage;
    this.dropLast = dropLast;
  }

  /** Number of batches, before any picture is skipped. */
  get length(): number {
    return this.dropLast ? Math.floor(this.sources.length / this.batchSize) : Math.ceil(this.sources.length / this.batchSize);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LoadedBatch, void, undefined> {
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const options = JSON.stringify(this.processor.config);
    const skip = this.onBadImage === 'skip';
    const ask = (batch: number) => {
      const sources = this.sources.slice(batch * this.batchSize, (batch + 1) * this.batchSize);
      return prepareOnThread({ sources, options, skip, cancelled }, this.threads);
    };
    const asked: ReturnType<typeof ask>[] = [];
    try {
      for (let batch = 0; batch < this.length; batch++) {
        while (asked.length <= this.readAhead && batch + asked.length < this.length) asked.push(ask(batch + asked.length));
        const answer = await asked.shift()!;
        if (answer instanceof ImageError) throw answer;
        const loaded = this.accept(batch * this.batchSize, answer);
        if (loaded) yield loaded;
      }
    } finally {
      Atomics.store(cancelled, 0, 1);
    }
  }

  /** The batch of an answer, whose first picture is number `first` of the sources; undefined when none of it could be read. */
  private accept(first: number, { data, shape, positions, bad, fatal }: BatchAnswer): LoadedBatch | undefined {
    const ending = fatal ?? (this.onBadImage === 'throw' ? bad[0] : undefined);
    if (ending) throw new ImageError(ending.file, ending.reason);
    for (const { position, file, reason } of bad) {
      if (!this.skippedIndices.has(first + position)) this.skipped.push(new ImageError(file, reason));
      this.skippedIndices.add(first + position);
    }
    return shape[0] ? { data, shape, indices: positions.map((position) => first + position) } : undefined;
  }
}
