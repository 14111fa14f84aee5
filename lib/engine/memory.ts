import { tf } from './tensorflow';

/** Number of live tensors: what tests compare before and after a call. */
export const tensorCount = (): number => tf.memory().numTensors;

/** Lets messages in and out between two synchronous steps: progress shows and the stop button reaches the loop. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
