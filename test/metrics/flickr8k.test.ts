import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CaptionScores } from '../../lib/metrics/caption-statistics';
import { scoreCaptions } from '../../lib/metrics/score-captions';

/** Corpus first, then the test images in the order of their file names. */
const expected = JSON.parse(readFileSync(join(__dirname, '../fixtures/metrics/flickr8k.json'), 'utf8')) as Record<string, number[]>;
const folder = process.env.FLICKR8K_DIR ?? resolve(__dirname, '../../../shared/flickr8k');
const DEBIAN = '/usr/share/wordnet';

/** The first caption of each test image as candidate, the other four as references. */
function leaveOneOut(): { ids: string[]; references: Record<string, string[]>; candidates: Record<string, string> } {
  const captions = new Map<string, string[]>();
  for (const line of readFileSync(join(folder, 'Flickr8k.token.txt'), 'utf8').split('\n')) {
    const [name, text] = line.split('\t');
    if (text === undefined) continue;
    const image = name.split('#')[0];
    captions.set(image, [...(captions.get(image) ?? []), text]);
  }
  const ids = readFileSync(join(folder, 'Flickr_8k.testImages.txt'), 'utf8').split('\n').map((line) => line.trim()).filter(Boolean).sort();
  const of = (id: string) => captions.get(id) ?? [];
  return {
    ids,
    references: Object.fromEntries(ids.map((id) => [id, of(id).slice(1)])),
    candidates: Object.fromEntries(ids.map((id) => [id, of(id)[0]])),
  };
}

describe('scores on Flickr8k', function () {
  before(function () {
    if (existsSync(join(folder, 'Flickr8k.token.txt'))) return;
    console.log(`      skipped: no Flickr8k.token.txt in ${folder} (set FLICKR8K_DIR)`);
    this.skip();
  });

  function compare(names: Record<string, keyof CaptionScores>, options = {}): void {
    const { ids, references, candidates } = leaveOneOut();
    const { corpus, images } = scoreCaptions(references, candidates, options);
    assert.equal(ids.length, 1000);
    for (const [row, name] of Object.entries(names)) {
      const got = [corpus[name], ...ids.map((id) => images[id][name])];
      assert.equal(got.length, expected[row].length);
      got.forEach((value, i) => {
        assert.ok(Math.abs(value - expected[row][i]) <= 1e-6, `${row} ${i === 0 ? 'corpus' : ids[i - 1]}: ${value}, expected ${expected[row][i]}`);
      });
    }
  }

  it('equal those of pycocoevalcap and NLTK, corpus and images', () => {
    const names = ['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4', 'ROUGE_L', 'CIDEr', 'CIDErD', 'METEOR'] as const;
    compare(Object.fromEntries(names.map((name) => [name, name])));
  });

  it("equal NLTK's METEOR with irregular forms", function () {
    if (!existsSync(join(DEBIAN, 'noun.exc'))) {
      console.log(`      skipped: no exception lists in ${DEBIAN} (Debian: apt-get install wordnet-base)`);
      this.skip();
    }
    compare({ METEOR_with_exceptions: 'METEOR' }, { wordnet: { exceptions: DEBIAN } });
    compare({ METEOR_debian: 'METEOR' }, { wordnet: { directory: DEBIAN, exceptions: DEBIAN } });
  });
});
