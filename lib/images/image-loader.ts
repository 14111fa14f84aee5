/**
 * Batches of pictures prepared ahead of the network that takes them: while a training step runs, threads decode and resize what it
 * will want next, also while TensorFlow keeps the main thread busy.
 */
import { ImageBatch, ImageProcessor } from './image-processor';
import { defaultThreads, PreparedImage, prepareOnThread } from './image-threads';
import { ImageError } from './rgb-image';

export interface ImageLoaderOptions {
  readonly batchSize?: number;
  /** Threads that decode and resize; default: the cores, up to four. */
  readonly threads?: number;
  /** Batches prepared beyond the one being used; more cost memory (a batch of 32 at 224×224 is 19 MB). Default 2. */
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
    const { batchSize = 32, threads = defaultThreads(), readAhead = 2, onBadImage = 'throw', dropLast = false } = options;
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
    const ask = (batch: number) => {
      const first = batch * this.batchSize;
      const members = this.sources.slice(first, first + this.batchSize);
      return members.map((source) => prepareOnThread(source, options, this.threads, cancelled));
    };
    const asked: ReturnType<typeof ask>[] = [];
    try {
      for (let batch = 0; batch < this.length; batch++) {
        while (asked.length <= this.readAhead && batch + asked.length < this.length) asked.push(ask(batch + asked.length));
        const answers = await Promise.all(asked.shift()!);
        const loaded = this.assemble(batch * this.batchSize, answers);
        if (loaded) yield loaded;
      }
    } finally {
      Atomics.store(cancelled, 0, 1);
    }
  }

  private assemble(first: number, answers: readonly (PreparedImage | ImageError | undefined)[]): LoadedBatch | undefined {
    const images: PreparedImage[] = [];
    const indices: number[] = [];
    answers.forEach((answer, position) => {
      if (answer instanceof ImageError) {
        if (this.onBadImage === 'throw') throw answer;
        if (!this.skippedIndices.has(first + position)) this.skipped.push(answer);
        this.skippedIndices.add(first + position);
      } else if (answer) {
        images.push(answer);
        indices.push(first + position);
      }
    });
    if (images.length === 0) return undefined;
    const { width, height } = images[0];
    const data = new Float32Array(images.length * height * width * 3);
    images.forEach((image, position) => {
      if (image.width !== width || image.height !== height) {
        const source = this.sources[indices[position]];
        throw new ImageError(
          typeof source === 'string' ? source : `image ${indices[position]}`,
          `comes out ${image.width}×${image.height} where the first of its batch is ${width}×${height}; set cropSize.`,
        );
      }
      data.set(image.data, position * height * width * 3);
    });
    return { data, shape: [images.length, height, width, 3], indices };
  }
}
