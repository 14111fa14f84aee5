import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Tokenizer } from '../../lib/tokenizers/tokenizer';

const FIXTURES = path.resolve(__dirname, '../fixtures/tokenizers');
/** Folders of published files; TOKENIZERS_DIR names another place. */
const SHARED = process.env.TOKENIZERS_DIR ?? path.resolve(__dirname, '../../../shared/tokenizers');

interface Expected {
  special: Record<'pad' | 'bos' | 'eos' | 'unk' | 'cls' | 'sep', number | null>;
  texts: { ids: number[]; plain: number[]; decoded: string; decodedSkip: string }[];
  pairs: { inputIds: number[]; attentionMask: number[]; tokenTypeIds?: number[] }[];
  pairsWithoutSpecials: number[][];
  truncation: Record<'left' | 'right', { maxLength: number; text: number[]; pairs: number[][] }[]>;
  padding: { batch: string[]; left?: Record<'longest' | 'maxLength', object>; right?: Record<'longest' | 'maxLength', object> };
  spread: { ids: number[]; decoded: string; decodedSkip: string };
  chat?: { messages: Parameters<Tokenizer['applyChatTemplate']>[0]; prompt: string; generation: string }[];
}

const read = <T>(name: string): T => JSON.parse(fs.readFileSync(path.join(FIXTURES, name), 'utf8')) as T;
const awkward = read<{ texts: string[]; pairs: [string, string][]; long: string }>('awkward.json');

/** All that Python gave for one tokenizer. */
function agrees(load: () => Tokenizer, expected: Expected): void {
  let tokenizer: Tokenizer;
  before(function () { this.timeout(60_000); tokenizer = load(); });

  it('encodes awkward strings to the same ids, with and without special tokens', () => {
    const differences = awkward.texts.flatMap((text, i) => {
      const got = { ids: tokenizer.encode(text).inputIds, plain: tokenizer.encode(text, { addSpecialTokens: false }).inputIds };
      const { ids, plain } = expected.texts[i];
      return JSON.stringify(got) === JSON.stringify({ ids, plain }) ? [] : [{ text, got: got.plain, expected: plain }];
    });
    assert.deepEqual(differences, []);
  });

  it('decodes to the same text, with and without special tokens', () => {
    const rows = [...expected.texts, expected.spread];
    const differences = rows.flatMap(({ ids, decoded, decodedSkip }) => {
      const got = { decoded: tokenizer.decode(ids), decodedSkip: tokenizer.decode(ids, { skipSpecialTokens: true }) };
      return JSON.stringify(got) === JSON.stringify({ decoded, decodedSkip }) ? [] : [{ ids, got, expected: { decoded, decodedSkip } }];
    });
    assert.deepEqual(differences, []);
  });

  it('encodes pairs, an empty text in them included', () => {
    assert.deepEqual(awkward.pairs.map((pair) => tokenizer.encode(pair)), expected.pairs);
    assert.deepEqual(awkward.pairs.map((pair) => tokenizer.encode(pair, { addSpecialTokens: false }).inputIds), expected.pairsWithoutSpecials);
  });

  it('truncates texts and pairs on either side', () => {
    for (const truncationSide of ['left', 'right'] as const) {
      assert.ok(expected.truncation[truncationSide].length >= 7);
      for (const { maxLength, text, pairs } of expected.truncation[truncationSide]) {
        const options = { truncation: true, maxLength, truncationSide };
        assert.deepEqual(tokenizer.encode(awkward.long, options).inputIds, text);
        assert.deepEqual(awkward.pairs.map((pair) => tokenizer.encode(pair, options).inputIds), pairs, `${truncationSide} ${maxLength}`);
      }
    }
  });

  it('pads a batch on either side', () => {
    for (const paddingSide of ['left', 'right'] as const) {
      const padded = expected.padding[paddingSide];
      if (!padded) {
        assert.throws(() => tokenizer.encodeBatch(expected.padding.batch, { padding: 'longest' }), /no padding token; set 'pad_token'/);
        continue;
      }
      assert.deepEqual(tokenizer.encodeBatch(expected.padding.batch, { padding: 'longest', paddingSide }), padded.longest);
      assert.deepEqual(tokenizer.encodeBatch(expected.padding.batch, { padding: 'maxLength', maxLength: 11, truncation: true, paddingSide }), padded.maxLength);
    }
  });

  it('knows the special ids', () => {
    const { padTokenId: pad, bosTokenId: bos, eosTokenId: eos, unkTokenId: unk, clsTokenId: cls, sepTokenId: sep } = tokenizer;
    assert.deepEqual({ pad, bos, eos, unk, cls, sep }, expected.special);
  });

  if (expected.chat) it('renders the chat template', () => {
    for (const { messages, prompt, generation } of expected.chat!) {
      assert.equal(tokenizer.applyChatTemplate(messages), prompt);
      assert.equal(tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true }), generation);
    }
  });
}

describe('tokenizer', () => {
  let scratch: string;
  before(() => { scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'tokenizer-')); });
  after(() => { fs.rmSync(scratch, { recursive: true, force: true }); });

  /** A folder with some files of a tiny tokenizer, changed. */
  const folderOf = (name: string, files: Record<string, string>): string => {
    const folder = fs.mkdtempSync(path.join(scratch, `${name}-`));
    for (const [file, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), content);
    return folder;
  };
  const tiny = (name: string, file: string) => fs.readFileSync(path.join(FIXTURES, name, file), 'utf8');

  for (const name of ['byte-level-bpe', 'word-piece', 'clip-bpe']) {
    describe(`tiny ${name}, tokenizer.json`, () => agrees(() => Tokenizer.fromPretrained(path.join(FIXTURES, name)), read<Expected>(`${name}.json`)));
    const files = name === 'word-piece' ? ['vocab.txt'] : ['vocab.json', 'merges.txt'];
    describe(`tiny ${name}, only ${files.join(' and ')}`, () => agrees(
      () => Tokenizer.fromPretrained(folderOf(name, Object.fromEntries(files.map((file) => [file, tiny(name, file)])))), read<Expected>(`${name}.json`)));
  }

  for (const name of ['smolvlm-256m', 'bert-base-uncased', 'clip', 'gpt2']) {
    const folder = path.join(SHARED, name);
    if (fs.existsSync(folder)) describe(`published ${name}`, () => agrees(() => Tokenizer.fromPretrained(folder), read<Expected>(`${name}.json`)));
    else it(`published ${name}: skipped, for ${folder} is not there`);
  }
  if (fs.existsSync(SHARED)) {
    describe('published bert-base-uncased, only vocab.txt', () => agrees(
      () => Tokenizer.fromPretrained(folderOf('bert', Object.fromEntries(['vocab.txt', 'tokenizer_config.json'].map((file) =>
        [file, fs.readFileSync(path.join(SHARED, 'bert-base-uncased', file), 'utf8')])))), read<Expected>('bert-base-uncased.json')));
  }

  it('takes the side and the length of truncation, and the side of padding, from tokenizer_config.json', () => {
    const { truncation, padding } = read<Expected>('clip-bpe.json');
    const config = { ...JSON.parse(tiny('clip-bpe', 'tokenizer_config.json')) as object, truncation_side: 'left', padding_side: 'left', model_max_length: 8 };
    const tokenizer = Tokenizer.fromPretrained(folderOf('clip-bpe', {
      'tokenizer.json': tiny('clip-bpe', 'tokenizer.json'), 'tokenizer_config.json': JSON.stringify(config),
    }));
    const left = truncation.left.find(({ maxLength }) => maxLength === 8)!.text;
    assert.notDeepEqual(left, truncation.right.find(({ maxLength }) => maxLength === 8)!.text);
    assert.deepEqual(tokenizer.encode(awkward.long, { truncation: true }).inputIds, left);
    assert.deepEqual(tokenizer.encodeBatch(padding.batch, { padding: 'longest' }), padding.left!.longest);
  });

  it('replaces halves of surrogate pairs, which Python refuses', () => {
    const tokenizer = Tokenizer.fromPretrained(path.join(FIXTURES, 'byte-level-bpe'));
    assert.deepEqual(tokenizer.encode('a\ud83d b').inputIds, tokenizer.encode('a\ufffd b').inputIds);
  });

  describe('refuses', () => {
    const json = (name: string, change: (value: any) => void, file = 'tokenizer.json'): string => {
      const value = JSON.parse(tiny(name, file)) as unknown;
      change(value);
      return folderOf(name, { [file]: JSON.stringify(value) });
    };
    const refused: [string, () => string, RegExp][] = [
      ['a folder without a tokenizer', () => folderOf('none', {}), /no tokenizer in it; expected tokenizer\.json, or vocab\.json with merges\.txt/],
      ['what is not JSON', () => folderOf('none', { 'tokenizer.json': '{' }), /tokenizer\.json: this is not JSON/],
      ['what is not UTF-8', () => {
        const folder = folderOf('none', {});
        fs.writeFileSync(path.join(folder, 'vocab.txt'), Buffer.from([0xff, 0xfe, 0x0a]));
        return folder;
      }, /vocab\.txt: this is not UTF-8/],
      ['a missing model', () => json('word-piece', (t) => { delete t.model; }), /tokenizer\.json: 'model'/],
      ['another kind of model', () => json('word-piece', (t) => { t.model.type = 'Unigram'; }), /'model\.type'?.*expected a model of type BPE or WordPiece/],
      ['a step that is not proved', () => json('word-piece', (t) => { t.pre_tokenizer = { type: 'Whitespace' }; }), /'pre_tokenizer' is of type 'Whitespace', which is not supported; supported are/],
      ['a step inside a sequence', () => json('clip-bpe', (t) => { t.normalizer.normalizers[1] = { type: 'Precompiled' }; }), /'normalizer\.normalizers\.1' is of type 'Precompiled'/],
      ['an id that is not whole', () => json('word-piece', (t) => { t.model.vocab['##a'] = 1.5; }), /'model\.vocab\.##a'/],
      ['one id for two pieces', () => json('word-piece', (t) => { t.model.vocab['[MASK]'] = 5; }), /gives id 5 to both/],
      ['a merge of unknown pieces', () => json('byte-level-bpe', (t) => { t.model.merges[3] = ['qqq', 'z']; }), /'merges' 3 \('qqq z'\): 'qqq' is not in the vocabulary/],
      ['whole-word added tokens', () => json('word-piece', (t) => { t.added_tokens[0].single_word = true; }), /'added_tokens\.0\.single_word': true is not supported/],
      ['a special token outside the vocabulary', () => {
        const folder = json('word-piece', () => {});
        fs.writeFileSync(path.join(folder, 'tokenizer_config.json'), '{"pad_token":"<none>"}');
        return folder;
      }, /the pad_token '<none>' is not in the vocabulary/],
      ['a wrong side', () => {
        const folder = json('word-piece', () => {});
        fs.writeFileSync(path.join(folder, 'tokenizer_config.json'), '{"padding_side":"top"}');
        return folder;
      }, /tokenizer_config\.json: 'padding_side'/],
      ['a merges line with three parts', () => folderOf('bpe', { 'vocab.bpe': '#version: 0.2\na b\na b c\n' }), /vocab\.bpe, line 3: expected two pieces/],
      ['a gzip file that is cut', () => folderOf('clip', { 'bpe_simple_vocab_16e6.txt.gz': 'no gzip' }), /cannot be unpacked .* download it again/],
      ['vocab.txt without the special pieces', () => folderOf('bert', { 'vocab.txt': 'a\nb\n' }), /vocab\.txt: the vocabulary lacks \[UNK\], \[SEP\]/],
    ];
    for (const [what, folder, message] of refused) it(what, () => assert.throws(() => Tokenizer.fromPretrained(folder()), message));

    it('ids outside the vocabulary, too small a maxLength, and a template that is not there', () => {
      const tokenizer = Tokenizer.fromPretrained(path.join(FIXTURES, 'word-piece'));
      for (const id of [-1, 1e6, 0.5]) assert.throws(() => tokenizer.decode([5, id]), /outside the vocabulary .*\(ids run from 0 to \d+\)/);
      assert.throws(() => tokenizer.encode('a', { truncation: true, maxLength: 1 }), /special tokens alone are 2/);
      assert.throws(() => tokenizer.encode('a', { truncation: true }), /give maxLength/);
      assert.throws(() => tokenizer.applyChatTemplate([]), /no chat template/);
    });
  });
});
