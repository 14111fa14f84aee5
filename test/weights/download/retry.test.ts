import assert from 'node:assert/strict';
import { UnreachableError } from '../../../lib/weights/download/hub-error';
import { PassingError } from '../../../lib/weights/download/hub-request';
import { retryAfter } from '../../../lib/weights/download/refusal';
import { withRetries } from '../../../lib/weights/download/retry';

describe('withRetries', () => {
  it('waits about twice as long after each failure', async () => {
    const waits: number[] = [];
    const onRetry = (_: string, seconds: number) => waits.push(seconds * 1000);
    await assert.rejects(withRetries(() => Promise.reject(new PassingError('cut')), { firstWait: 4, onRetry }),
      (error) => error instanceof UnreachableError && /^cut; gave up after 6 tries\. What has arrived is kept/.test(error.message));
    assert.equal(waits.length, 5);
    for (const [i, wait] of waits.entries()) assert.ok(wait >= 0.75 * 4 * 2 ** i && wait <= 1.25 * 4 * 2 ** i, String(waits));
  });

  it('starts counting anew after progress', async () => {
    let attempts = 0;
    const done = await withRetries((progressed) => {
      if (attempts++ < 20) {
        progressed();
        throw new PassingError('cut');
      }
      return Promise.resolve('done');
    }, { firstWait: 0.01, tries: 2 });
    assert.deepEqual([done, attempts], ['done', 21]);
  });

  it('does as the server asks, within five minutes', async () => {
    const waits: number[] = [];
    let failed = false;
    await withRetries(() => {
      if (failed) return Promise.resolve();
      failed = true;
      throw new PassingError('busy', 0);
    }, { onRetry: (_, seconds) => waits.push(seconds) });
    assert.deepEqual(waits, [0]);
    await assert.rejects(withRetries(() => Promise.reject(new PassingError('busy', 301))), /busy and asks to wait 301 seconds/);
  });

  it('does not try again what cannot be mended', async () => {
    let attempts = 0;
    await assert.rejects(withRetries(() => { attempts++; throw new Error('no'); }), /^Error: no$/);
    assert.equal(attempts, 1);
  });
});

describe('retryAfter', () => {
  it('reads seconds and dates', () => {
    const now = Date.parse('Wed, 21 Oct 2015 07:28:00 GMT');
    const cases: [string | undefined, number | undefined][] = [
      [undefined, undefined], ['120', 120], [' 0', 0], ['soon', undefined], ['', undefined],
      ['Wed, 21 Oct 2015 07:28:07 GMT', 7], ['Wed, 21 Oct 2015 07:00:00 GMT', 0],
    ];
    for (const [header, seconds] of cases) assert.equal(retryAfter(header, now), seconds, header);
  });
});
