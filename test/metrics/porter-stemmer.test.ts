import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { porterStem } from '../../lib/metrics/porter-stemmer';

const fixture = JSON.parse(readFileSync(join(__dirname, '../fixtures/metrics/stems.json'), 'utf8')) as [string, string][];

describe('porterStem', () => {
  it("gives the stems of NLTK's PorterStemmer", () => {
    assert.deepEqual(fixture.map(([word]) => [word, porterStem(word)]), fixture);
    assert.ok(fixture.length > 1000);
  });

  it('leaves lone surrogates alone', () => {
    assert.equal(porterStem('\ud83dRunning'), '\ud83drunning');
  });
});
