/** What runs on the threads of ./image-threads: prepares one batch a message. Not imported by anything else. */
import { parentPort } from 'node:worker_threads';
import { ImageProcessorOptions, PixelPreparation } from './pixel-preparation';
import { ImageError, RgbImage } from './rgb-image';

/** Pictures to prepare. `options` is JSON, so that one processor serves all messages that carry the same. */
export interface BatchJob {
  readonly id: number;
  readonly sources: readonly (string | Uint8Array)[];
  readonly options: string;
  /** Go on without pictures that cannot be read; otherwise the first of them ends the batch. */
  readonly skip: boolean;
  /** Shared flag of the run the job belongs to: not 0 once nobody wants the result. */
  readonly cancelled: Int32Array;
}

export interface BadImage {
  readonly position: number;
  readonly file: string;
  readonly reason: string;
}

/** NHWC pixels of the pictures at `positions` of the job, and those left out. No pictures, no data. */
export interface BatchAnswer {
  readonly id: number;
  readonly data: Float32Array;
  readonly shape: [number, number, number, number];
  readonly positions: readonly number[];
  /** In the order of the job. */
  readonly bad: readonly BadImage[];
  /** What no skipping helps against: pictures of several sizes, or a fault of this library. */
  readonly fatal?: BadImage;
}

/** Pictures in the works at a time: while libvips decodes some on its threads, this one resizes another. */
const IN_FLIGHT = 3;

const port = parentPort!;
const processors = new Map<string, PixelPreparation>();
let last: Promise<void> = Promise.resolve();

// One batch after the other, so that the first asked for is the first finished.
port.on('message', (job: BatchJob) => {
  last = last.then(() => prepare(job));
});

async function prepare(job: BatchJob): Promise<void> {
  const { id, sources, skip, cancelled } = job;
  const bad: BadImage[] = [];
  const positions: number[] = [];
  let data = new Float32Array(0);
  let size: RgbImage | undefined;
  let next = 0;
  let fatal: BadImage | undefined;
  let stop = false;

  const work = async () => {
    while (next < sources.length && !stop && !Atomics.load(cancelled, 0)) {
      const position = next++;
      const source = sources[position];
      try {
        const processor = processorFor(job.options);
        const image = await processor.pixels(source);
        if (!size) {
          size = image;
          data = new Float32Array(sources.length * image.data.length);
        }
        if (image.width !== size.width || image.height !== size.height) {
          const sizes = `comes out ${image.width}×${image.height} where another of its batch is ${size.width}×${size.height}`;
          throw new Error(`${sizes}; a batch needs one size: set cropSize.`);
        }
        processor.normalize(image, data, position * image.data.length);
        positions.push(position);
      } catch (error) {
        if (error instanceof ImageError) bad.push({ position, file: error.file, reason: error.reason });
        else fatal = { position, file: nameOf(source), reason: error instanceof Error ? error.message : String(error) };
        stop ||= !skip || fatal !== undefined;
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));

  positions.sort((a, b) => a - b);
  bad.sort((a, b) => a.position - b.position);
  const { width, height } = size ?? { width: 0, height: 0 };
  const length = width * height * 3;
  if (positions.length < sources.length) {
    positions.forEach((position, index) => data.copyWithin(index * length, position * length, (position + 1) * length));
    data = data.slice(0, positions.length * length);
  }
  const answer: BatchAnswer = { id, data, shape: [positions.length, height, width, 3], positions, bad, fatal };
  port.postMessage(answer, [data.buffer as ArrayBuffer]);
}

function nameOf(source: string | Uint8Array): string {
  return typeof source === 'string' ? source : 'image in memory';
}

function processorFor(options: string): PixelPreparation {
  let processor = processors.get(options);
  if (!processor) processors.set(options, (processor = new PixelPreparation(JSON.parse(options) as ImageProcessorOptions)));
  return processor;
}
