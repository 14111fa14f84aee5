/**
 * tokenizer.json's content for folders that hold only the older vocabulary files, with the ids and the steps of the published
 * tokenizers: vocab.json + merges.txt (GPT-2, CLIP), vocab.bpe (GPT-2), bpe_simple_vocab_16e6.txt.gz (CLIP), vocab.txt (BERT).
 *
 * Sources: github.com/openai/gpt-2 (encoder.py), github.com/openai/CLIP (simple_tokenizer.py), and transformers' tokenizer classes.
 */
export interface TokenizerDefaults {
  /** What tokenizer.json would hold. */
  readonly tokenizer: Record<string, unknown>;
  /** Special tokens where tokenizer_config.json and special_tokens_map.json name none. */
  readonly special: Readonly<Record<string, string>>;
}

type Merges = readonly (readonly [string, string])[];

const START = '<|startoftext|>';
const END = '<|endoftext|>';

/** The 256 byte symbols in the order their ids follow: printable ones first, then stand-ins from U+0100 for the rest. */
export function byteSymbols(): string[] {
  const printable: number[] = [];
  for (const [from, to] of [[33, 126], [161, 172], [174, 255]]) for (let byte = from; byte <= to; byte++) printable.push(byte);
  return String.fromCharCode(...printable, ...Array.from({ length: 256 - printable.length }, (_, n) => 256 + n)).split('');
}

/** Pairs of a merges file; a first line starting with `#version` (or CLIP's quoted one) is its header. */
export function parseMerges(text: string, file: string, limit = Infinity): [string, string][] {
  const lines = text.split(/\r?\n/);
  const merges: [string, string][] = [];
  for (const [i, line] of lines.entries()) {
    if (merges.length >= limit) break;
    if (line === '' || (i === 0 && line.includes('#version'))) continue;
    const parts = line.split(' ');
    if (parts.length !== 2 || !parts[0] || !parts[1]) {
      throw new Error(`${file}, line ${i + 1}: expected two pieces with a space between, found '${line.slice(0, 60)}'.`);
    }
    merges.push([parts[0], parts[1]]);
  }
  if (merges.length === 0) throw new Error(`${file}: no merges in it; expected two pieces with a space between on each line.`);
  return merges;
}

/** GPT-2's ids: byte symbols, merges in order, end of text. */
export function gpt2VocabularyOf(merges: Merges): Record<string, number> {
  return numbered([...byteSymbols(), ...merges.map((pair) => pair.join('')), END]);
}

/** CLIP's file of merges goes on beyond those it uses. */
export const CLIP_MERGES = 49152 - 256 - 2;

/** CLIP's ids: byte symbols, the same at the end of a word, merges in order, start and end of text. */
export function clipVocabularyOf(merges: Merges): Record<string, number> {
  return numbered([...byteSymbols(), ...byteSymbols().map((symbol) => `${symbol}</w>`), ...merges.map((pair) => pair.join('')), START, END]);
}

export function gpt2Tokenizer(vocab: Record<string, number>, merges: Merges, file: string, addPrefixSpace = false): TokenizerDefaults {
  return {
    tokenizer: {
      ...shell(vocab, [END], file),
      normalizer: null,
      pre_tokenizer: byteLevel(addPrefixSpace),
      post_processor: null,
      decoder: byteLevel(true),
      model: bpe(vocab, merges, null, null),
    },
    special: { bos_token: END, eos_token: END, unk_token: END },
  };
}

export function clipTokenizer(vocab: Record<string, number>, merges: Merges, file: string): TokenizerDefaults {
  const pattern = "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
  return {
    tokenizer: {
      ...shell(vocab, [START, END], file),
      normalizer: {
        type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' }, { type: 'Lowercase' }],
      },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [{ type: 'Split', pattern: { Regex: pattern }, behavior: 'Removed', invert: true }, byteLevel(false)],
      },
      post_processor: {
        type: 'RobertaProcessing', sep: [END, vocab[END]], cls: [START, vocab[START]], trim_offsets: false, add_prefix_space: false,
      },
      decoder: byteLevel(true),
      model: bpe(vocab, merges, END, '</w>'),
    },
    special: { bos_token: START, eos_token: END, unk_token: END, pad_token: END },
  };
}

export interface BertOptions {
  readonly do_lower_case?: boolean;
  readonly strip_accents?: boolean | null;
  readonly tokenize_chinese_chars?: boolean;
}

/** `lines`: one piece a line, its id the line's number from 0. */
export function bertTokenizer(lines: readonly string[], file: string, options: BertOptions = {}): TokenizerDefaults {
  const { do_lower_case = true, strip_accents = null, tokenize_chinese_chars = true } = options;
  const vocab = numbered(lines);
  const special = { unk_token: '[UNK]', sep_token: '[SEP]', pad_token: '[PAD]', cls_token: '[CLS]', mask_token: '[MASK]' };
  const present = Object.values(special);
  const marks = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const single = [marks('[CLS]', 0), sequence('A', 0), marks('[SEP]', 0)];
  return {
    tokenizer: {
      ...shell(vocab, present, file),
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: tokenize_chinese_chars, strip_accents, lowercase: do_lower_case },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: { type: 'TemplateProcessing', single, pair: [...single, sequence('B', 1), marks('[SEP]', 1)], special_tokens: {} },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab },
    },
    special,
  };
}

function numbered(pieces: readonly string[]): Record<string, number> {
  // Without a prototype, so that a piece called __proto__ is a piece.
  const vocab = Object.create(null) as Record<string, number>;
  pieces.forEach((piece, id) => { vocab[piece] = id; });
  return vocab;
}

function shell(vocab: Record<string, number>, specials: readonly string[], file: string) {
  const missing = specials.filter((token) => vocab[token] === undefined);
  if (missing.length > 0) {
    throw new Error(`${file}: the vocabulary lacks ${missing.join(', ')}, which this kind of tokenizer needs.`);
  }
  const added = specials.map((content) => ({
    id: vocab[content], content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true,
  }));
  return { version: '1.0', added_tokens: added };
}

const byteLevel = (add_prefix_space: boolean) => ({ type: 'ByteLevel', add_prefix_space, trim_offsets: true, use_regex: true });

const bpe = (vocab: Record<string, number>, merges: Merges, unk_token: string | null, end_of_word_suffix: string | null) =>
  ({ type: 'BPE', unk_token, continuing_subword_prefix: '', end_of_word_suffix, fuse_unk: false, byte_fallback: false, vocab, merges });
