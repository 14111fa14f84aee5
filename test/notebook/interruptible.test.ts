import assert from 'node:assert/strict';
import { interruptible, InterruptedError } from '../../lib/notebook/interruptible';
import { inFakeNotebook } from './fake-kernel';

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

describe('interruptible', () => {
  it('aborts the signal when the stop button is pressed, says so, and the work returns what it has', async () => {
    const shown = await inFakeNotebook(async (link) => {
      const pending = interruptible(async (signal) => {
        let steps = 0;
        while (!signal.aborted) { steps++; await turn(); }
        return { steps, reason: signal.reason as unknown };
      });
      await turn(); await turn();
      assert.equal(link.interruptHandlers.size, 1);
      for (const handler of link.interruptHandlers) handler();
      const { steps, reason } = await pending;
      assert.ok(steps >= 1);
      assert.ok(reason instanceof InterruptedError);
      assert.equal(link.interruptHandlers.size, 0);
    });
    assert.match(shown.map(({ data }) => data['text/plain']).join(), /^■ Stopping after the step under way/);
  });

  it('fails with InterruptedError where the work throws at the signal, and lets go of the button', async () => {
    await inFakeNotebook(async (link) => {
      const pending = interruptible(async (signal) => { for (;;) { await turn(); signal.throwIfAborted(); } });
      await turn();
      for (const handler of link.interruptHandlers) handler();
      await assert.rejects(pending, InterruptedError);
      assert.equal(link.interruptHandlers.size, 0);
    });
  });

  it('hands results and errors of undisturbed work through, in a plain process too', async () => {
    const listeners = process.listenerCount('SIGINT');
    assert.equal(await interruptible(async (signal) => (signal.aborted ? 1 : 2)), 2);
    await assert.rejects(interruptible(async () => { throw new RangeError('own'); }), RangeError);
    assert.equal(process.listenerCount('SIGINT'), listeners);
  });

  it('answers Ctrl-C in a plain process', async () => {
    const pending = interruptible(async (signal) => { while (!signal.aborted) await turn(); return 'kept'; });
    await turn();
    process.emit('SIGINT');
    assert.equal(await pending, 'kept');
  });
});
