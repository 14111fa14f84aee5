/** What runs on the threads of ./image-threads: prepares one picture a message. Not imported by anything else. */
import { parentPort } from 'node:worker_threads';
import { ImageProcessor, ImageProcessorOptions } from './image-processor';
import { ImageError } from './rgb-image';

/** A picture to prepare. `options` is JSON, so that one processor serves all messages that carry the same. */
export interface ImageJob {
  readonly id: number;
  readonly source: string | Uint8Array;
  readonly options: string;
  /** Shared flag of the run the job belongs to: not 0 once nobody wants the result. */
  readonly cancelled: Int32Array;
}

export type ImageAnswer =
  | { readonly id: number; readonly data: Float32Array; readonly width: number; readonly height: number }
  | { readonly id: number; readonly file: string; readonly reason: string; readonly unexpected?: boolean }
  | { readonly id: number; readonly dropped: true };

/** Pictures decoded at a time on one thread: while libvips decodes the next, this thread resizes the last. */
const IN_FLIGHT = 2;

const port = parentPort!;
const processors = new Map<string, ImageProcessor>();
const waiting: ImageJob[] = [];
let running = 0;

port.on('message', (job: ImageJob) => {
  waiting.push(job);
  next();
});

function next(): void {
  while (running < IN_FLIGHT && waiting.length) {
    running++;
    void prepare(waiting.shift()!).finally(() => {
      running--;
      next();
    });
  }
}

async function prepare({ id, source, options, cancelled }: ImageJob): Promise<void> {
  if (Atomics.load(cancelled, 0)) return port.postMessage({ id, dropped: true } satisfies ImageAnswer);
  try {
    const processor = processorFor(options);
    const image = await processor.pixels(source);
    const data = processor.normalize(image);
    port.postMessage({ id, data, width: image.width, height: image.height } satisfies ImageAnswer, [data.buffer as ArrayBuffer]);
  } catch (error) {
    const answer: ImageAnswer =
      error instanceof ImageError
        ? { id, file: error.file, reason: error.reason }
        : { id, file: typeof source === 'string' ? source : 'image in memory', reason: String(error), unexpected: true };
    port.postMessage(answer);
  }
}

function processorFor(options: string): ImageProcessor {
  let processor = processors.get(options);
  if (!processor) processors.set(options, (processor = new ImageProcessor(JSON.parse(options) as ImageProcessorOptions)));
  return processor;
}
