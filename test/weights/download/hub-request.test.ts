import assert from 'node:assert/strict';
import { plainEtag, redirectTarget } from '../../../lib/weights/download/hub-request';

describe('redirectTarget', () => {
  const secure = new URL('https://hub.example'), open = new URL('http://hub.example');
  const from = new URL('https://hub.example/a/b?signature=hidden');

  it('stays on https', () => {
    assert.equal(redirectTarget('https://storage.example/x?y=1', from, secure).href, 'https://storage.example/x?y=1');
    assert.equal(redirectTarget('/c', from, secure).href, 'https://hub.example/c');
    assert.equal(redirectTarget('//storage.example/c', from, secure).href, 'https://storage.example/c');
    for (const location of ['http://hub.example/c', 'http://storage.example/c', 'file:///etc/passwd', 'ftp://x/y', 'javascript:1']) {
      assert.throws(() => redirectTarget(location, from, secure), (error: Error) =>
        /^https:\/\/hub\.example\/a\/b redirects to .*which is not https: refused/.test(error.message) && !error.message.includes('hidden'));
    }
  });

  it('may go to http from an endpoint that is http', () => {
    assert.equal(redirectTarget('http://storage.example/c', new URL('http://hub.example/a'), open).href, 'http://storage.example/c');
    assert.equal(redirectTarget('https://storage.example/c', new URL('http://hub.example/a'), open).href, 'https://storage.example/c');
    assert.throws(() => redirectTarget('file:///c', new URL('http://hub.example/a'), open), /which is not https/);
  });
});

describe('plainEtag', () => {
  it('is without quotes and the mark of a weak one', () => {
    const cases = [['"abc"', 'abc'], ['W/"abc"', 'abc'], ['abc', 'abc'], ['"Wabc"', 'Wabc'], ['""', undefined], [undefined, undefined]] as const;
    for (const [etag, plain] of cases) assert.equal(plainEtag(etag), plain);
  });
});
