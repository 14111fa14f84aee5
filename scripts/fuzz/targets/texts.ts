/** Readers of vocabularies and tokenizers. */
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { SentencePieceBpe, Tokenizer, WordVocabulary } from '../../../lib/tokenizers';
import { clipVocabularyOf, gpt2VocabularyOf } from '../../../lib/tokenizers/vocabulary-files';
import { must, type Files, type FuzzTarget } from '../target';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const TEXTS = ['', 'A dog runs on the grass.', "It's   2 dogs!\n", 'naïve café ﬁ 犬 🐕', '<|endoftext|> [SEP] </s>',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '__proto__ constructor'];

const merges: [string, string][] = [['a', 'n'], ['d', 'o'], ['do', 'g'], ['Ġ', 'an']];
const chat = "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}{{ '\n' }}{% endfor %}{% if add_generation_prompt %}A:{% endif %}";

/** Byte pairs with every kind of step that is supported. */
const stepsOfAllKinds = () => ({
  version: '1.0', truncation: null, padding: null,
  added_tokens: [{ id: 260, content: '<|endoftext|>', single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }],
  normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
    { type: 'Replace', pattern: { String: 'ﬁ' }, content: 'fi' }, { type: 'Lowercase' }] },
  pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true },
    { type: 'Split', pattern: { Regex: "'s|'t|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+| " }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }] },
  post_processor: { type: 'TemplateProcessing', single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '<|endoftext|>',
    type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { '<|endoftext|>': { id: '<|endoftext|>', ids: [260], tokens: ['<|endoftext|>'] } } },
  decoder: { type: 'Sequence', decoders: [{ type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }] },
  model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '', end_of_word_suffix: '', fuse_unk: false,
    byte_fallback: false,
    vocab: gpt2VocabularyOf(merges), merges: merges.map((pair) => pair.join(' ')) },
});

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'dog', '##s', 'on', 'the', '.'];
const clipMerges: [string, string][] = [['d', 'o'], ['do', 'g</w>']];

const seeds = (): Files[] => [
  { 'tokenizer.json': json(stepsOfAllKinds()), 'tokenizer_config.json': json({ tokenizer_class: 'GPT2Tokenizer', model_max_length: 16,
    eos_token: '<|endoftext|>', pad_token: { content: '<|endoftext|>' }, chat_template: chat }) },
  { 'vocab.txt': Buffer.from(`${words.join('\n')}\n`), 'special_tokens_map.json': json({ unk_token: '[UNK]',
    additional_special_tokens: ['[MASK]'] }) },
  { 'vocab.json': json(gpt2VocabularyOf(merges)),
    'merges.txt': Buffer.from(`#version: 0.2\n${merges.map((pair) => pair.join(' ')).join('\n')}\n`),
    'chat_template.jinja': Buffer.from(chat) },
  { 'vocab.json': json(clipVocabularyOf(clipMerges)), 'merges.txt': Buffer.from(clipMerges.map((pair) => pair.join(' ')).join('\n')),
    'tokenizer_config.json': json({ tokenizer_class: 'CLIPTokenizer' }) },
  { 'bpe_simple_vocab_16e6.txt.gz': gzipSync(`"bpe_simple_vocab_16e6.txt#version: 0.2\n${clipMerges.map((pair) => pair.join(' ')).join('\n')}\n`) },
];

function readTokenizer(folder: string): void {
  const tokenizer = Tokenizer.fromPretrained(folder);
  const { inputIds } = tokenizer.encodeBatch(TEXTS, { padding: tokenizer.padTokenId === null ? false : 'longest' });
  for (const ids of inputIds) {
    must(ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabularySize),
      `ids ${ids.slice(0, 8).join(', ')} of ${tokenizer.vocabularySize}`);
    must(typeof tokenizer.decode(ids) === 'string', 'decoded to what is no text');
  }
  tokenizer.encode([TEXTS[1], TEXTS[2]], { truncation: true, maxLength: 12 });
  try {
    tokenizer.applyChatTemplate([{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'text', text: 'Ho' }] }],
      { addGenerationPrompt: true });
  } catch (error) {
    if (!/has no chat template/.test((error as Error).message)) throw error;
  }
}

export const textTargets: readonly FuzzTarget[] = [
  { name: 'tokenizer', seeds, read: readTokenizer },
  {
    name: 'words',
    seeds: () => [{ 'tokenizer.json': json({ version: '1.0', model: { type: 'WordLevel', vocab: { '<pad>': 0, '<start>': 1, '<end>': 2,
      '<unk>': 3, a: 4, dog: 5 }, unk_token: '<unk>' } }) }],
    read: (folder) => {
      const vocabulary = WordVocabulary.load(path.join(folder, 'tokenizer.json'));
      for (const text of TEXTS) must(vocabulary.encode(text).every((id) => id < vocabulary.size && vocabulary.word(id) !== undefined),
        'an id without a word');
      must(vocabulary.words.every((word) => typeof word === 'string'), 'a word is no text');
    },
  },
  {
    name: 'pieces',
    seeds: () => [{ 'sentencepiece.vocab': Buffer.from(['<unk>\t0', '<s>\t0', '</s>\t0', '▁a\t-0', '▁d\t-1', 'og\t-2', 'o\t-3', 'g\t-4',
      '▁\t-5'].join('\n')) }],
    read: (folder) => {
      const pieces = SentencePieceBpe.load(path.join(folder, 'sentencepiece.vocab'));
      for (const text of TEXTS) {
        const ids = pieces.encode(text);
        must(ids.every((id) => id >= 0 && id < pieces.size), 'an id outside');
        must(typeof pieces.decode(ids) === 'string', 'decoded to what is no text');
      }
    },
  },
];
