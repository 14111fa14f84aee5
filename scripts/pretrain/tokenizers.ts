// The small checkpoints' tokenizers, trained on generated sentences, in the published ones' file formats.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Tokenizer } from '../../lib/tokenizers';
import { bertTokenizer, clipTokenizer, clipVocabularyOf, gpt2Tokenizer, gpt2VocabularyOf, type TokenizerDefaults } from '../../lib/tokenizers/vocabulary-files';
import { writeWhole } from '../../lib/whole-file';
import { trainBytePairs } from './byte-pairs';
import { sceneSentences } from './scene-sentences';

const SCENES = 4000, MERGES = 1200, LONGEST = 512;
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
  const write = (name: string, value: unknown) => writeWhole(path.join(folder, name), `${JSON.stringify(value, null, 1)}\n`);
  write('tokenizer.json', tokenizer);
  write('tokenizer_config.json', { ...config, ...special });
  write('special_tokens_map.json', special);
  return Tokenizer.fromPretrained(folder);
}

/** GPT-2's kind: byte pairs, spaces kept, `<|endoftext|>` last. */
export function writeGpt2Tokenizer(folder: string): Tokenizer {
  const merges = trainBytePairs(countWords(corpus(), GPT2_WORDS), MERGES);
  return writeFolder(folder, gpt2Tokenizer(gpt2VocabularyOf(merges), merges, folder), {
    add_prefix_space: false, clean_up_tokenization_spaces: false, model_max_length: LONGEST, tokenizer_class: 'GPT2Tokenizer',
  });
}

/** CLIP's kind: lower case, words end in `</w>`, `<|startoftext|>` and `<|endoftext|>` around. */
export function writeClipTokenizer(folder: string, maxLength = 77): Tokenizer {
  const merges = trainBytePairs(countWords(corpus().map((text) => text.toLowerCase()), CLIP_WORDS), MERGES, '</w>');
  return writeFolder(folder, clipTokenizer(clipVocabularyOf(merges), merges, folder), {
    add_prefix_space: false, clean_up_tokenization_spaces: true, do_lower_case: true, model_max_length: maxLength, tokenizer_class: 'CLIPTokenizer',
  });
}

/** BERT's kind: lower case, whole words of the generator's language and single letters for all others; `extra` pieces come last. */
export function writeBertTokenizer(folder: string, extra: readonly string[] = []): Tokenizer {
  const words = countWords(corpus().map((text) => text.toLowerCase()), BERT_WORDS);
  const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789'], marks = [...'.,;:!?\'"-()[]/&'];
  const frequent = [...words.keys()].sort((a, b) => words.get(b)! - words.get(a)! || (a < b ? -1 : 1));
  const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...marks, ...letters, ...letters.map((letter) => `##${letter}`), ...frequent];
  return writeFolder(folder, bertTokenizer([...new Set([...pieces, ...extra])], folder), {
    do_lower_case: true, clean_up_tokenization_spaces: true, strip_accents: null, tokenize_chinese_chars: true, model_max_length: LONGEST,
    tokenizer_class: 'BertTokenizer',
  });
}
