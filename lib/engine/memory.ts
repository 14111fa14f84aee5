import { tf } from './tensorflow';

/** Number of live tensors: what tests compare before and after a call. */
export const tensorCount = (): number => tf.memory().numTensors;

/** Lets messages in and out between two synchronous steps: progress shows and the stop button reaches the loop. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

/**
 * Runs `fn` and tells how many bytes of tensors it added to those that were there, at most, as counted after each kernel. Scratch memory
 * inside a kernel is not counted, nor are graphs (`GraphFunction`), which keep their tensors to themselves.
 */
export async function withPeakBytes<T>(fn: () => T): Promise<{ value: T; peakBytes: number }> {
  const before = tf.memory().numBytes, env = tf.env(), checks = 'CHECK_COMPUTATION_FOR_ERRORS', checked = env.getBool(checks);
  let value: T, failure: unknown;
  // Without this every kernel's values are read back.
  env.set(checks, false);
  try {
    // A throw inside would leave the profiler on.
    const guarded = (): void => { try { value = fn(); } catch (error) { failure = error; } };
    const { peakBytes } = await tf.profile(guarded as never);
    if (failure) throw failure;
    return { value: value!, peakBytes: Math.max(0, peakBytes - before) };
  } finally {
    env.set(checks, checked);
  }
}
