import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ptbTokenize } from '../../lib/metrics/ptb-tokenizer';

const fixture = JSON.parse(readFileSync(join(__dirname, '../fixtures/metrics/ptb-tokens.json'), 'utf8')) as [string, string[]][];

describe('ptbTokenize', () => {
  it('gives the tokens of coco-caption on every awkward string of the fixture', () => {
    const wrong = fixture.filter(([text, tokens]) => JSON.stringify(ptbTokenize(text)) !== JSON.stringify(tokens));
    assert.deepEqual(wrong.map(([text, expected]) => ({ text, expected, got: ptbTokenize(text) })), []);
    assert.ok(fixture.length > 1500);
  });

  it('reads a caption as a line by itself, whatever it is called a line break', () => {
    const expected = ['one', 'two'];
    for (const breaking of ['\n', '\r', '\r\n', '\v', '\f', '\u2028', '\u2029']) assert.deepEqual(ptbTokenize(`One${breaking}two.`), expected);
    // In the reference tool a caption that begins with "The" takes the stop from the one before.
    assert.deepEqual(ptbTokenize('This is plan B.'), ['this', 'is', 'plan', 'b.']);
    assert.deepEqual(ptbTokenize('This is plan B. The next'), ['this', 'is', 'plan', 'b', 'the', 'next']);
  });

  it('strips white space at the end as coco-caption does, from inside the last token too', () => {
    assert.deepEqual(ptbTokenize('see http://a.com\u00a0'), ['see', 'http://a.com']);
    assert.deepEqual(ptbTokenize('see http://a.com\u00a0 x'), ['see', 'http://a.com\u00a0', 'x']);
  });

  it('drops lone surrogates and characters outside the basic plane', () => {
    assert.deepEqual(ptbTokenize('a\ud83d b\ude00 \u{1f600}c'), ['a', 'b', 'c']);
  });

  it('takes time in proportion to the length of ordinary text', () => {
    const tokens = ptbTokenize("It's a dog-friendly U.S. park, isn't it? ".repeat(2000));
    assert.equal(tokens.length, 2000 * 9);
  });
});
