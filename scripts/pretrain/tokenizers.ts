// The small checkpoints' tokenizers, trained on generated sentences, in the published ones' file formats.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Tokenizer } from '../../lib/tokenizers';
import {
  bertTokenizer,
  clipTokenizer,
  clipVocabularyOf,
  gpt2Tokenizer,
  gpt2VocabularyOf,
  type TokenizerDefaults,
} from '../../lib/tokenizers/vocabulary-files';
import { writeWhole } from '../../lib/whole-file';
import { trainBytePairs } from './byte-pairs';
import { sceneSentences } from './scene-sentences';

const SCENES = 4000,
  MERGES = 1200,
  LONGEST = 512;
/** GPT-2's parting of a text into words. */
const GPT2_WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
const CLIP_WORDS = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu;
const BERT_WORDS = /\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu;

/** Every word of the generator's language and how often it is used. */
function countWords(texts: readonly string[], pattern: RegExp): Map<string, number> {
  const words = new Map<string, number>();
  for (const text of texts) for (const [word] of text.matchAll(pattern)) words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}

const corpus = (() => {
  let texts: string[] | undefined;
  return () => (texts ??= sceneSentences('train', SCENES).flat());
})();

function writeFolder(folder: string, { tokenizer, special }: TokenizerDefaults, config: Record<string, unknown>): Tokenizer {
  fs.mkdirSync(folder, { recursive: true });
  const write = (name: string, value: unknown, indent?: number) => writeWhole(path.join(folder, name), `${JSON.stringify(value, null, indent)}\n`);
  write('tokenizer.json', tokenizer);
  write('tokenizer_config.json', { ...config, ...special }, 1);
  write('special_tokens_map.json', special, 1);
  return Tokenizer.fromPretrained(folder);
}

/** GPT-2's kind: byte pairs, spaces kept, `<|endoftext|>` last. */
export function writeGpt2Tokenizer(folder: string): Tokenizer {
  const merges = trainBytePairs(countWords(corpus(), GPT2_WORDS), MERGES);
  return writeFolder(folder, gpt2Tokenizer(gpt2VocabularyOf(merges), merges, folder), {
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    model_max_length: LONGEST,
    tokenizer_class: 'GPT2Tokenizer',
  });
}

/** CLIP's kind: lower case, words end in `</w>`, `<|startoftext|>` and `<|endoftext|>` around. */
export function writeClipTokenizer(folder: string, maxLength = 77): Tokenizer {
  const merges = trainBytePairs(
    countWords(
      corpus().map((text) => text.toLowerCase()),
      CLIP_WORDS,
    ),
    MERGES,
    '</w>',
  );
  return writeFolder(folder, clipTokenizer(clipVocabularyOf(merges), merges, folder), {
    add_prefix_space: false,
    clean_up_tokenization_spaces: true,
    do_lower_case: true,
    model_max_length: maxLength,
    tokenizer_class: 'CLIPTokenizer',
  });
}

/** BERT's kind: lower case, whole words of the generator's language and single letters for all others. */
export const writeBertTokenizer = (folder: string): Tokenizer => writeWordPieces(folder, bertPieces(), []);

/** BLIP's kind: BERT's with two more special tokens. They take the places of brackets, which no sentence has; those come last. */
export function writeBlipTokenizer(folder: string): Tokenizer {
  const tokens = new Map([
    ['[', '[DEC]'],
    [']', '[ENC]'],
  ]);
  return writeWordPieces(folder, [...bertPieces().map((piece) => tokens.get(piece) ?? piece), ...tokens.keys()], [...tokens.values()]);
}

function bertPieces(): string[] {
  const words = countWords(
    corpus().map((text) => text.toLowerCase()),
    BERT_WORDS,
  );
  const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
  const marks = [...'.,;:!?\'"-()[]/&'];
  const frequent = [...words.keys()].sort((a, b) => words.get(b)! - words.get(a)! || (a < b ? -1 : 1));
  const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...marks, ...letters, ...letters.map((letter) => `##${letter}`), ...frequent];
  return [...new Set(pieces)];
}

function writeWordPieces(folder: string, pieces: readonly string[], specials: readonly string[]): Tokenizer {
  const { tokenizer, special } = bertTokenizer(pieces, folder);
  const [known] = tokenizer.added_tokens as object[];
  const added = specials.map((content) => ({ ...known, id: pieces.indexOf(content), content }));
  const [bos] = specials;
  return writeFolder(
    folder,
    { tokenizer: { ...tokenizer, added_tokens: [...(tokenizer.added_tokens as object[]), ...added] }, special: { ...special, ...(bos ? { bos_token: bos } : {}) } },
    {
      do_lower_case: true,
      clean_up_tokenization_spaces: true,
      strip_accents: null,
      tokenize_chinese_chars: true,
      model_max_length: LONGEST,
      tokenizer_class: 'BertTokenizer',
      ...(specials.length ? { additional_special_tokens: specials.slice(1) } : {}),
    },
  );
}

/** So many tiles a side may a picture be divided into. */
const TILES = 4;
const SMOL = [
  '<|endoftext|>',
  '<|im_start|>',
  '<|im_end|>',
  '<fake_token_around_image>',
  '<global-img>',
  '<image>',
  '<end_of_utterance>',
];

/** What SmolVLM's chat template gives: each turn's role and content, a picture as its token, the end of an utterance, a new line. */
const CHAT = [
  "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:",
  "{% if message['content'][0]['type'] != 'image' %} {% endif %}",
  "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>",
  "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}",
  '<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}',
].join('');

/** SmolLM's kind with SmolVLM's tokens for pictures: byte pairs behind special tokens, a chat template. */
export function writeSmolTokenizer(folder: string, prompts: readonly string[]): Tokenizer {
  const tiles = Array.from({ length: TILES ** 2 }, (_, i) => `<row_${Math.floor(i / TILES) + 1}_col_${(i % TILES) + 1}>`);
  const specials = [...SMOL, ...tiles];
  // The turns' own words are in every conversation.
  const turns = prompts.flatMap((prompt) => [`User:${prompt}`, 'Assistant: ']);
  const merges = trainBytePairs(countWords([...corpus(), ...turns], GPT2_WORDS), MERGES);
  const { tokenizer } = gpt2Tokenizer(gpt2VocabularyOf(merges), merges, folder);
  const { [SMOL[0]]: _, ...pieces } = (tokenizer.model as { vocab: Record<string, number> }).vocab;
  const vocab = Object.fromEntries([...specials, ...Object.keys(pieces)].map((piece, id) => [piece, id]));
  const added = specials.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const special = { bos_token: '<|im_start|>', eos_token: '<end_of_utterance>', unk_token: '<|endoftext|>', pad_token: '<|im_end|>' };
  return writeFolder(
    folder,
    { tokenizer: { ...tokenizer, added_tokens: added, model: { ...(tokenizer.model as object), vocab } }, special },
    {
      add_prefix_space: false,
      clean_up_tokenization_spaces: false,
      model_max_length: LONGEST,
      truncation_side: 'left',
      tokenizer_class: 'GPT2Tokenizer',
      additional_special_tokens: ['<fake_token_around_image>', '<image>', '<end_of_utterance>'],
      chat_template: CHAT,
      processor_class: 'SmolVLMProcessor',
    },
  );
}
