import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaptionScores } from '../../lib/metrics/caption-statistics';
import { scoreCaptions } from '../../lib/metrics/score-captions';

interface Fixture {
  references: Record<string, string[]>;
  candidates: Record<string, string>;
  /** Corpus first, then the images in the order of `references`. */
  scores: Record<string, number[]>;
}
const { references, candidates, scores } = JSON.parse(readFileSync(join(__dirname, '../fixtures/metrics/scores.json'), 'utf8')) as Fixture;
const DEBIAN = '/usr/share/wordnet';
const TOLERANCE = 1e-6;

function assertNear(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= TOLERANCE, `${what}: ${actual}, expected ${expected}`);
}

function assertScores(name: keyof CaptionScores, expected: number[], options = {}): void {
  const result = scoreCaptions(references, candidates, options);
  assertNear(result.corpus[name], expected[0], `corpus ${name}`);
  Object.keys(references).forEach((id, i) => assertNear(result.images[id][name], expected[i + 1], `image ${id} ${name}`));
}

describe('scoreCaptions', () => {
  for (const name of ['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4', 'ROUGE_L', 'CIDEr', 'CIDErD', 'METEOR'] as const) {
    it(`gives the reference's ${name} on the corpus and on every image`, () => assertScores(name, scores[name]));
  }

  it("gives NLTK's METEOR with exception lists", function () {
    if (!existsSync(join(DEBIAN, 'noun.exc'))) {
      console.log(`      skipped: no exception lists in ${DEBIAN} (Debian: apt-get install wordnet-base)`);
      this.skip();
    }
    assertScores('METEOR', scores.METEOR_with_exceptions, { wordnet: { exceptions: DEBIAN } });
    assertScores('METEOR', scores.METEOR_debian, { wordnet: { directory: DEBIAN, exceptions: DEBIAN } });
  });

  it('warns when CIDEr is computed on one image', () => {
    const warnings: string[] = [];
    const { corpus } = scoreCaptions({ a: ['a dog'] }, { a: 'a dog' }, { onWarning: (warning) => warnings.push(warning) });
    assert.equal(corpus.CIDEr, 0);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /CIDEr/);
  });

  it('takes another tokenizer', () => {
    const { corpus } = scoreCaptions({ a: ['A.B'], b: ['c'] }, { a: 'A', b: 'c' }, { tokenize: (caption) => caption.split('.') });
    assert.ok(Math.abs(corpus.ROUGE_L - (1 + (2.44 * 0.5) / (0.5 + 1.44)) / 2) < 1e-12);
  });

  it('does not mistake an image for a property of objects', () => {
    const odd = Object.fromEntries([['__proto__', ['a dog']], ['constructor', ['a cat']]]);
    const captions = Object.fromEntries([['__proto__', 'a dog'], ['constructor', 'a cat']]);
    assert.deepEqual(Object.keys(scoreCaptions(odd, captions).images), ['__proto__', 'constructor']);
    assert.throws(() => scoreCaptions({ a: ['a'] }, { a: 'a', toString: 'b' } as Record<string, string>), /image "toString" has a candidate and no references/);
  });

  it('names the image whose captions are missing or wrong', () => {
    const score = (r: unknown, c: unknown) => () => scoreCaptions(r as Record<string, string[]>, c as Record<string, string>);
    assert.throws(score({}, {}), /no candidate captions/);
    assert.throws(score({ a: ['x'], b: ['y'] }, { a: 'x' }), /1 of 2 images with references have no candidate: "b"/);
    assert.throws(score({ a: ['x'] }, { a: 'x', b: 'y' }), /image "b" has a candidate and no references/);
    assert.throws(score({ a: [] }, { a: 'x' }), /image "a" has an empty list of references/);
    assert.throws(score({ a: ['x', 5] }, { a: 'x' }), /references of image "a": expected strings, got a number/);
    assert.throws(score({ a: 'x' }, { a: 'x' }), /references of image "a": expected an array of strings, got a string/);
    assert.throws(score({ a: ['x'] }, { a: null }), /candidate of image "a": expected a string, got null/);
  });
});
