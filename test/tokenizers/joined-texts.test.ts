import assert from 'node:assert/strict';
import * as path from 'node:path';
import { encodeJoined, Tokenizer } from '../../lib/tokenizers';

const tokenizer = Tokenizer.fromPretrained(path.join(__dirname, '../fixtures/tokenizers/word-piece'));
const { clsTokenId: CLS, sepTokenId: SEP } = tokenizer;
const idsOf = (text: string): number[] => tokenizer.encode(text, { addSpecialTokens: false }).inputIds;
const parts = (original: string, generated: string, level: string) => [{ text: original }, { text: generated }, { text: level, keep: true }];

describe('encodeJoined', () => {
  const original = 'Two dogs run over the grass.', generated = 'a dog, running', level = '10';

  it('gives the ids of the texts joined by " [SEP] ", one segment', () => {
    const { inputIds, spans } = encodeJoined(tokenizer, parts(original, generated, level));
    const whole = tokenizer.encode(`${original} [SEP] ${generated} [SEP] ${level}`);
    assert.deepEqual(inputIds, whole.inputIds);
    assert.equal(inputIds.filter((id) => id === SEP).length, 3);
    assert.deepEqual(whole.tokenTypeIds, inputIds.map(() => 0), 'the network\'s default types');
    assert.deepEqual(spans.map(({ from, to }) => inputIds.slice(from, to)), [original, generated, level].map(idsOf));
    assert.deepEqual(encodeJoined(tokenizer, [{ text: generated }]).inputIds, tokenizer.encode(generated).inputIds);
  });

  it('keeps an empty part\'s place', () => {
    const { inputIds, spans } = encodeJoined(tokenizer, parts(original, '', level));
    assert.deepEqual(inputIds, [CLS, ...idsOf(original), SEP, SEP, ...idsOf(level), SEP]);
    assert.equal(spans[1].from, spans[1].to);
  });

  it('cuts the longest part first, of equal ones the last, and never the level', () => {
    const [a, b, l] = ['dog '.repeat(30), 'grass '.repeat(10), '80'].map(idsOf);
    const each = a.length / 30, fixed = 4 + l.length;
    const lengths = (maxLength: number): number[] => {
      const { inputIds, spans } = encodeJoined(tokenizer, parts('dog '.repeat(30), 'grass '.repeat(10), '80'), { maxLength });
      assert.equal(inputIds.length, Math.min(maxLength, fixed + a.length + b.length));
      const [first, second, third] = spans.map(({ from, to }) => inputIds.slice(from, to));
      assert.deepEqual([first, second, third], [a.slice(0, first.length), b.slice(0, second.length), l]);
      assert.deepEqual([inputIds[0], inputIds.at(-1)], [CLS, SEP]);
      return [first.length, second.length];
    };
    assert.ok(each >= 1);
    assert.deepEqual(lengths(fixed + a.length + b.length - 1), [a.length - 1, b.length]);
    assert.deepEqual(lengths(fixed + 2 * b.length + 1), [b.length + 1, b.length]);
    assert.deepEqual(lengths(fixed + 7), [4, 3]);
    assert.deepEqual(lengths(fixed + 1), [1, 0]);
    assert.deepEqual(lengths(fixed), [0, 0]);
    assert.throws(() => lengths(fixed - 1), new RegExp(`maxLength is ${fixed - 1}, but separators and the parts that are kept take ${fixed} ids`));
  });

  it('reads what looks like a special token as plain text', () => {
    const { inputIds } = encodeJoined(tokenizer, parts('a [SEP] [MASK] dog', '[CLS][PAD]', level));
    assert.equal(inputIds.filter((id) => id === SEP).length, 3);
    for (const id of [tokenizer.maskTokenId, tokenizer.padTokenId]) assert.ok(!inputIds.includes(id!));
    assert.equal(inputIds.filter((id) => id === CLS).length, 1);
  });
});
