import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { SentencePieceBpe } from '../../lib/tokenizers/sentence-piece-bpe';

const ROOT = path.resolve(__dirname, '../..');
const FIXTURES = path.join(ROOT, 'test/fixtures/tokenizers');
const FLICKR8K = path.resolve(ROOT, process.env.FLICKR8K_DIR ?? '../shared/flickr8k');

interface Digests { size: number; pieces: string; ids: string }
const expected = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'sentence-piece.json'), 'utf8')) as {
  scenes: { size: number; pieces: string[]; ids: string };
  scenesAll: Digests & { count: number };
  awkward: { size: number; captions: number; repeats: number; texts: string[]; ids: number[][]; decoded: string[] };
  normalized: [string, string][];
  flickr8k?: Digests & { texts: number };
};
const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

describe('SentencePiece BPE', () => {
  let captions: string[];
  let mixture: string[];
  let scratch: string;
  before(() => {
    const scenes = JSON.parse(fs.readFileSync(path.join(ROOT, 'data/scenes/captions.json'), 'utf8')) as { images: { captions: string[] }[] };
    captions = scenes.images.flatMap((image) => image.captions);
    const { texts, repeats } = expected.awkward;
    mixture = [...captions.slice(0, expected.awkward.captions), ...Array.from({ length: repeats }, () => texts).flat()];
    scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'sentence-piece-'));
  });
  after(() => { fs.rmSync(scratch, { recursive: true, force: true }); });

  it('gives the library\'s pieces and encodings on the Scenes captions', () => {
    assert.ok(captions.length > 3000);
    const model = SentencePieceBpe.train(captions, { vocabularySize: expected.scenes.size });
    assert.deepEqual(model.pieces, expected.scenes.pieces);
    assert.equal(digest(captions.map((caption) => model.encode(caption))), expected.scenes.ids);
    assert.equal(model.decode(model.encode(captions[0])), captions[0]);
  });

  it('gives all the pieces there are where fewer than asked for, and says so with a hard limit', () => {
    const { size, count, pieces, ids } = expected.scenesAll;
    const model = SentencePieceBpe.train(captions, { vocabularySize: size, hardLimit: false });
    assert.equal(model.size, count);
    assert.equal(digest(model.pieces), pieces);
    assert.equal(digest(captions.map((caption) => model.encode(caption))), ids);
    assert.throws(() => SentencePieceBpe.train(captions, { vocabularySize: size }), new RegExp(`give ${count} pieces at most`));
  });

  it('does so on awkward strings, unknown letters included', () => {
    const { size, texts, ids, decoded } = expected.awkward;
    const model = SentencePieceBpe.train(mixture, { vocabularySize: size });
    assert.deepEqual(texts.map((text) => model.encode(text)), ids);
    assert.deepEqual(ids.map((row) => model.decode(row)), decoded);
    assert.ok(ids.flat().includes(model.unkId), 'some letters are unknown');
  });

  it('writes and reads the library\'s .vocab file', () => {
    const library = path.join(FIXTURES, 'awkward.vocab');
    const model = SentencePieceBpe.train(mixture, { vocabularySize: expected.awkward.size });
    const file = path.join(scratch, 'own.vocab');
    model.save(file);
    assert.equal(fs.readFileSync(file, 'utf8'), fs.readFileSync(library, 'utf8'));
    assert.deepEqual(SentencePieceBpe.load(library).pieces, model.pieces);
    assert.deepEqual(fs.readdirSync(scratch), ['own.vocab']);
  });

  it('normalizes marks and compatible letters as the library does', () => {
    // With every letter a piece and no pair of them, the pieces of an encoding are the normalized letters.
    const letters = new Set(expected.normalized.flatMap(([, normalized]) => Array.from(normalized)));
    const model = new SentencePieceBpe(['<unk>', '<s>', '</s>', ...letters]);
    const differences = expected.normalized.filter(([text, normalized]) => model.encode(text).map((id) => model.pieces[id]).join('') !== normalized);
    assert.deepEqual(differences, []);
  });

  it('gives the library\'s 8,000 pieces on Flickr8k\'s captions', function () {
    const file = path.join(FLICKR8K, 'captions.txt');
    if (!expected.flickr8k || !fs.existsSync(file)) {
      console.log(`      (skipped: ${file} is not there; set FLICKR8K_DIR)`);
      return this.skip();
    }
    const texts = fs.readFileSync(file, 'utf8').split('\n').slice(1).filter((line) => line !== '').map((line) => line.slice(line.indexOf(',') + 1));
    assert.equal(texts.length, expected.flickr8k.texts);
    const model = SentencePieceBpe.train(texts, { vocabularySize: expected.flickr8k.size });
    assert.equal(digest(model.pieces), expected.flickr8k.pieces);
    assert.equal(digest(texts.slice(0, 5000).map((text) => model.encode(text))), expected.flickr8k.ids);
  });

  it('refuses reserved pieces, too small a size, ids outside and files that are none', () => {
    assert.throws(() => SentencePieceBpe.train(['a <s> b'], { vocabularySize: 20 }), /holds '<s>', which is reserved/);
    assert.throws(() => SentencePieceBpe.train(['abc abd'], { vocabularySize: 6 }), /have 5 letters; a vocabularySize above 8/);
    assert.throws(() => SentencePieceBpe.train(['abc'], { vocabularySize: 2.5 }), /expected a whole number/);
    assert.throws(() => SentencePieceBpe.train([], { vocabularySize: 10 }), /give 3 pieces at most/);
    const model = SentencePieceBpe.train(['abc abd'], { vocabularySize: 9, hardLimit: false });
    assert.throws(() => model.decode([99]), /Id 99 is outside the vocabulary of \d+ pieces/);
    const file = path.join(scratch, 'bad.vocab');
    fs.writeFileSync(file, '<unk>\t0\n<s>\t0\n</s>\t0\na\t-5\n');
    assert.throws(() => SentencePieceBpe.load(file), /bad\.vocab, line 4: expected a piece, a tab and the score 0; found 'a\\t-5'/);
    fs.writeFileSync(file, 'a\t0\nb\t0\nc\t0\n');
    assert.throws(() => SentencePieceBpe.load(file), /bad\.vocab: The pieces start with <unk>/);
    fs.rmSync(file);
  });
});
