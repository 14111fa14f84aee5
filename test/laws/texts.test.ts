import assert from 'node:assert/strict';
import * as path from 'node:path';
import fc from 'fast-check';
import { SentencePieceBpe, Tokenizer, WordVocabulary } from '../../lib/tokenizers';
import { law } from '../law';

const words = ['a', 'dog', 'dog\'s', 'runs', 'run', 'on', 'grass', 'well-known', 'café', '犬', '2'];
const sentence = fc.array(fc.constantFrom(...words), { minLength: 0, maxLength: 12 }).map((some) => some.join(' '));

describe('decode after encode', () => {
  const vocabulary = new WordVocabulary(['<pad>', '<start>', '<end>', '<unk>', ...words]);
  law('gives words of the vocabulary back', sentence, (text) => assert.equal(vocabulary.decode(vocabulary.encode(text)), text));

  const pieces = SentencePieceBpe.train([words.join(' '), 'a dog runs on grass', 'dogs run'], { vocabularySize: 60, hardLimit: false });
  const letters = fc.array(fc.constantFrom(...'adogruns'), { minLength: 1, maxLength: 8 }).map((some) => some.join(''));
  law('gives texts of the trained letters back', fc.array(letters, { maxLength: 8 }).map((some) => some.join(' ')),
    (text) => assert.equal(pieces.decode(pieces.encode(text)), text));

  const bytes = Tokenizer.fromPretrained(path.resolve(__dirname, '../fixtures/tokenizers/byte-level-bpe'));
  const anyText = fc.string({ unit: 'binary', maxLength: 40 });
  law('gives any text back, of bytes', anyText, (text) => {
    const { inputIds } = bytes.encode(text, { addSpecialTokens: false });
    assert.ok(inputIds.every((id) => id >= 0 && id < bytes.vocabularySize), `ids ${inputIds}`);
    assert.equal(bytes.decode(inputIds), text);
  }, 300);

  law('cuts to the length asked for, and keeps the beginning', fc.tuple(anyText, fc.integer({ min: 1, max: 12 })), ([text, maxLength]) => {
    const whole = bytes.encode(text, { addSpecialTokens: false }).inputIds;
    assert.deepEqual(bytes.encode(text, { addSpecialTokens: false, truncation: true, maxLength }).inputIds, whole.slice(0, maxLength));
  });
});
