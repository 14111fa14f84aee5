/** The stop button, for work that should end tidily instead of being cut off. */
import { kernelLink, showText } from './display';

/** Why an {@link interruptible} signal was aborted; what `signal.throwIfAborted()` throws then. */
export class InterruptedError extends Error {
  override readonly name = 'Interrupted';
  constructor() { super('stopped by the stop button'); }
}

/**
 * Runs work that the stop button (Ctrl-C in a terminal) ends at its next step. `work` gets a signal; a training loop checks it
 * between steps, saves its checkpoint and returns what it has, or calls `signal.throwIfAborted()`. If it returns, the cell succeeds
 * and its variables exist; if it throws, the cell fails and queued cells are dropped.
 *
 * The loop must come back to the event loop now and then (`yieldToEventLoop()` of the engine), or the button never reaches it.
 * A notebook says that the press has arrived, since a step may take seconds. Pressing the button twice abandons the cell at once (in a
 * terminal: ends the process).
 *
 *     const history = await interruptible((signal) => trainer.fit(data, { signal }));
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  // The synchronous part of a cell runs under Node's own SIGINT guard; the work must start after it.
  await null; // oxlint-disable-line typescript/await-thenable
  const controller = new AbortController();
  const stop = (): void => controller.abort(new InterruptedError());
  const link = kernelLink();
  if (link) {
    const stopAndSay = (): void => {
      stop();
      showText('■ Stopping after the step under way; what it has done by then is kept. A second press drops the cell at once.');
    };
    link.interruptHandlers.add(stopAndSay);
    try { return await work(controller.signal); } finally { link.interruptHandlers.delete(stopAndSay); }
  }
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    stop();
  };
  process.on('SIGINT', onSignal);
  try { return await work(controller.signal); } finally { process.off('SIGINT', onSignal); }
}
