import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { WordVocabulary } from '../../lib/tokenizers';

const captions = ['A dog runs.', 'a Dog, a cat & a "well-known" bird!', 'The dog’s ball isn\'t here', 'two dogs: 3 balls — Été'];

describe('WordVocabulary', () => {
  it('counts words in lower case, most frequent first, rare ones left out', () => {
    const { words } = WordVocabulary.fromCaptions(captions, { minCount: 2 });
    assert.deepEqual(words, ['<pad>', '<start>', '<end>', '<unk>', 'a', 'dog']);
  });

  it('keeps inner hyphens and apostrophes in a word and drops all other punctuation', () => {
    const vocabulary = WordVocabulary.fromCaptions(captions);
    assert.equal(vocabulary.decode(vocabulary.encode(captions[1])), 'a dog a cat a well-known bird');
    assert.equal(vocabulary.decode(vocabulary.encode(captions[2])), 'the dog’s ball isn\'t here');
    assert.equal(vocabulary.decode(vocabulary.encode(captions[3])), 'two dogs 3 balls été');
  });

  it('decodes up to the end token and shows unknown words', () => {
    const vocabulary = WordVocabulary.fromCaptions(captions);
    const [dog, runs] = vocabulary.encode('dog runs');
    assert.equal(vocabulary.decode([vocabulary.startId, dog, vocabulary.unkId, runs, vocabulary.padId, vocabulary.endId, dog]), 'dog <unk> runs');
    assert.deepEqual(vocabulary.encode('zebra'), [vocabulary.unkId]);
    assert.throws(() => vocabulary.decode([999]), /Id 999/);
  });

  it('survives saving and loading', () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'vocabulary-')), 'tokenizer.json');
    const vocabulary = WordVocabulary.fromCaptions(captions);
    vocabulary.save(file);
    assert.deepEqual(WordVocabulary.load(file).words, vocabulary.words);
    fs.rmSync(path.dirname(file), { recursive: true });
  });

  it('refuses files that are no vocabulary, saying where', () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'vocabulary-')), 'tokenizer.json');
    assert.throws(() => WordVocabulary.load(file), /cannot be read/);
    fs.writeFileSync(file, '{"version":"1.0","model":{"type":"BPE"}}');
    assert.throws(() => WordVocabulary.load(file), /model\.type/);
    fs.writeFileSync(file, '{"version":"1.0","model":{"type":"WordLevel","unk_token":"<unk>","vocab":{"<pad>":0,"<start>":1,"<end>":2,"<unk>":4}}}');
    assert.throws(() => WordVocabulary.load(file), /no word with id 3/);
    const vocab = { '<pad>': 0, '<start>': 1, ['x'.repeat(5000)]: 2, '<unk>': 3 };
    fs.writeFileSync(file, JSON.stringify({ version: '1.0', model: { type: 'WordLevel', unk_token: '<unk>', vocab } }));
    assert.throws(() => WordVocabulary.load(file), ({ message }: Error) =>
      message.startsWith(file) && /starts with <pad>.*this one with '<pad>', '<start>', 'x+…'/.test(message) && message.length < 500);
    fs.rmSync(path.dirname(file), { recursive: true });
  });
});
