/** Tries again after passing failures: 1, 2, 4, … seconds, or as long as the server asks. */
import { UnreachableError } from './hub-error';
import { PassingError } from './hub-request';

/** Failures in a row without a byte of progress after which a download gives up. */
const MAX_TRIES = 6;
const MAX_WAIT = 30;
/** Seconds; a server that asks for more is told no. */
const MAX_RETRY_AFTER = 300;

const kept = 'What has arrived is kept: run the command again later.';

export interface RetryOptions {
  tries?: number;
  /** The first wait in milliseconds; default one second. */
  firstWait?: number;
  /** Told before each wait. */
  onRetry?: (reason: string, seconds: number) => void;
}

/**
 * Runs `attempt` until it succeeds or fails for good. `attempt` gets `progressed`, to call when something was achieved: the count of
 * failures then starts anew.
 *
 * @throws UnreachableError after `tries` passing failures in a row, or when the server asks for too long a wait; other errors as they come.
 */
export async function withRetries<T>(attempt: (progressed: () => void) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { tries = MAX_TRIES, firstWait = 1000, onRetry } = options;
  for (let failures = 0; ;) {
    try { return await attempt(() => { failures = 0; }); } catch (error) {
      if (!(error instanceof PassingError)) throw error;
      failures++;
      if (failures >= tries) throw new UnreachableError(`${error.message}; gave up after ${failures} tries. ${kept}`);
      if ((error.retryAfter ?? 0) > MAX_RETRY_AFTER) {
        throw new UnreachableError(`${error.message} and asks to wait ${error.retryAfter} seconds. ${kept}`);
      }
      // A little chance, so that many who were cut off together do not come back together.
      const backoff = Math.min(MAX_WAIT, (firstWait / 1000) * 2 ** (failures - 1)) * (0.75 + Math.random() / 2);
      const seconds = error.retryAfter ?? backoff;
      onRetry?.(error.message, seconds);
      await new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
    }
  }
}
