import assert from 'node:assert/strict';
import { checkSteps, nestsRepeats } from '../../lib/tokenizers/tokenizer-steps';

const none = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
const nested = (depth: number): object => (depth === 0 ? { type: 'NFC' } : { type: 'Sequence', normalizers: [nested(depth - 1)] });
const split = (Regex: unknown) => ({ pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false } });

describe('steps of a tokenizer.json', () => {
  it('may be those of published tokenizers', () => {
    checkSteps(none, 'f');
    checkSteps({ ...none, normalizer: nested(10), ...split("'s| ?\\p{L}+|\\s+(?!\\S)|(?:[^\\s]|a)[*+]") }, 'f');
    checkSteps({ ...none, post_processor: { type: 'TemplateProcessing', special_tokens: {}, pair: [],
      single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }] } }, 'f');
  });

  const bad: [string, object, RegExp][] = [
    ['a kind that is not known', { normalizer: { type: 'Precompiled' } },
      /'normalizer' is of type 'Precompiled', which is not supported; supported are Sequence, /],
    ['a kind by an inherited name', { decoder: { type: 'constructor' } }, /'decoder' is of type 'constructor', which is not supported/],
    ['a sequence of no list', { normalizer: { type: 'Sequence', normalizers: 5 } }, /'normalizer\.normalizers': /],
    ['a sequence of no steps', { pre_tokenizer: { type: 'Sequence', pretokenizers: ['ByteLevel'] } },
      /'pre_tokenizer\.pretokenizers\.0': /],
    ['sequences without end', { normalizer: nested(5000) }, /'normalizer' has more than 10 sequences one inside the other/],
    ['a replacement of nothing that is known', { normalizer: { type: 'Replace', pattern: { Glob: '*' }, content: '' } },
      /'normalizer\.pattern': expected \{"Regex": …\} or \{"String": …\}/],
    ['a replacement by no text', { decoder: { type: 'Replace', pattern: { String: 'a' }, content: null } }, /'decoder\.content': /],
    ['a pattern that may take for ever', split('(a+)+$'),
      /'pre_tokenizer\.pattern\.Regex': repeats a part that repeats, which may take for ever/],
    ['a pattern of no text', split(['a']), /'pre_tokenizer\.pattern': /],
    ['a template of other things than tokens and texts', { post_processor: { type: 'TemplateProcessing', single: [true], pair: [],
      special_tokens: {} } }, /'post_processor\.single\.0': expected \{"SpecialToken"/],
    ['a template of a third text', { post_processor: { type: 'TemplateProcessing', single: [{ Sequence: { id: 'C', type_id: 0 } }],
      pair: [], special_tokens: {} } }, /'post_processor\.single\.0': /],
    ['a separator without an id', { post_processor: { type: 'BertProcessing', sep: ['[SEP]'], cls: ['[CLS]', 1] } },
      /'post_processor\.sep/],
  ];
  for (const [what, steps, message] of bad) {
    it(`may not be ${what}`, () => assert.throws(() => checkSteps({ ...none, ...steps }, 'folder/tokenizer.json'), (error: Error) => {
      assert.match(error.message, message);
      return error.message.startsWith('folder/tokenizer.json: ') && error.message.length < 700;
    }));
  }
});

describe('nestsRepeats', () => {
  const cases: [string, boolean][] = [
    ['(a+)+', true], ['(?:a|b*c)*', true], ['((a{2,})b)+', true], ['(\\d+,){3,}', true], ['([^a]*)*', true],
    ['a+b*c{2,5}', false], ['(a|b)+', false], ['(a+)?', false], ['(a+){2}', false], ['([+*])+', false], ['(\\+)+', false], ['(?:\\(a+|b)c',
      false], ['[(]a+[)]+', false],
  ];
  for (const [source, expected] of cases) it(`is ${expected} for ${source}`, () => assert.equal(nestsRepeats(source), expected));
});
