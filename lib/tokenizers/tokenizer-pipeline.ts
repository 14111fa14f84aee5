/**
 * The steps of a tokenizer.json (normalizer, pre-tokenizer, model, post-processor, decoder) run by `@huggingface/tokenizers`, with
 * what it does otherwise than the Rust library mended from outside: Unicode white space and numbers, lower case letter by letter,
 * ideographs beyond U+FFFF. Kinds of steps that the library does otherwise than the Rust library are refused. One difference is left:
 * the two know different versions of Unicode, so that marks, punctuation (BERT) and letters (CLIP) of scripts added in recent years
 * may be split elsewhere.
 *
 * Source: https://github.com/huggingface/tokenizers (tokenizers/src/normalizers, pre_tokenizers).
 */
import { checkSteps, nestedSteps, type StepConfig } from './tokenizer-steps';

interface Normalizer { normalizers?: Normalizer[]; normalize(text: string): string }
interface PreTokenizer { pattern?: RegExp; tokenizers?: PreTokenizer[]; pre_tokenize_text(text: string): string[] }
interface Processed { tokens: string[]; token_type_ids?: number[] }

/** The part of the library's tokenizer that is used here. */
export interface Pipeline {
  readonly normalizer: Normalizer | null;
  readonly pre_tokenizer: PreTokenizer | null;
  readonly post_processor: { post_process(tokens: string[], pair: string[] | null, addSpecialTokens: boolean): Processed } | null;
  readonly decoder: { decode(tokens: string[]): string } | null;
  tokenize(text: string): string[];
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}

// The package's types are those of an ECMAScript module, which a CommonJS file may not import by name.
const { Tokenizer: LibraryTokenizer } = require('@huggingface/tokenizers') as { Tokenizer: new (tokenizer: object, config: object) => Pipeline };

/**
 * @param json a tokenizer.json whose shape has been checked
 * @throws Error naming the file and the step that is not supported
 */
export function makePipeline(json: Record<string, unknown>, file: string): Pipeline {
  checkSteps(json, file);
  let pipeline: Pipeline;
  try {
    // Truncation and padding are the caller's choice, as in transformers, and the special tokens are kept by Tokenizer.
    pipeline = new LibraryTokenizer(json, { clean_up_tokenization_spaces: false });
  } catch (error) {
    throw new Error(`${file}: this tokenizer cannot be built (${error instanceof Error ? error.message : String(error)}).`, { cause: error });
  }
  if (pipeline.normalizer) mendNormalizer(pipeline.normalizer, json.normalizer as StepConfig);
  if (pipeline.pre_tokenizer) mendPreTokenizer(pipeline.pre_tokenizer, json.pre_tokenizer as StepConfig);
  return pipeline;
}

function mendNormalizer(step: Normalizer, config: StepConfig): void {
  if (config.type === 'Sequence') nestedSteps(config, 'normalizer').forEach((inner, i) => mendNormalizer(step.normalizers![i], inner));
  if (config.type === 'Lowercase') step.normalize = lowerCase;
  if (config.type === 'BertNormalizer') step.normalize = (text) => normalizeBert(text, config);
}

function mendPreTokenizer(step: PreTokenizer, config: StepConfig): void {
  if (config.type === 'Sequence') nestedSteps(config, 'pre_tokenizer').forEach((inner, i) => mendPreTokenizer(step.tokenizers![i], inner));
  // JavaScript's \s holds U+FEFF and lacks U+0085; its \d knows ASCII only.
  if (config.type === 'ByteLevel') {
    step.pattern = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
  }
  if (config.type === 'Digits') step.pattern = config.individual_digits ? /\P{N}+|\p{N}/gu : /\P{N}+|\p{N}+/gu;
  if (config.type === 'BertPreTokenizer') step.pre_tokenize_text = (text) => text.match(BERT_WORDS) ?? [];
}

/** A run of neither white space nor punctuation, or one punctuation mark; ASCII symbols count as punctuation. */
const BERT_WORDS = /[^\p{White_Space}\p{P}!-/:-@[-`{-~]+|[\p{P}!-/:-@[-`{-~]/gu;

/** Letter by letter: a capital sigma becomes σ at the end of a word too. */
const lowerCase = (text: string): string => Array.from(text, (letter) => letter.toLowerCase()).join('');

/** Source: tokenizers/src/normalizers/bert.rs. */
function normalizeBert(text: string, config: StepConfig): string {
  let out = text;
  if (config.clean_text ?? true) out = out.replace(/[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]/gu, '').replace(/\p{White_Space}/gu, ' ');
  if (config.handle_chinese_chars ?? true) out = out.replace(IDEOGRAPH, ' $& ');
  const lowercase = config.lowercase ?? true;
  if (config.strip_accents ?? lowercase) out = out.normalize('NFD').replace(/\p{Mn}/gu, '');
  return lowercase ? lowerCase(out) : out;
}

const IDEOGRAPH = new RegExp('[\\u4E00-\\u9FFF\\u3400-\\u4DBF\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B73F}\\u{2B740}-\\u{2B81F}'
  + '\\u{2B920}-\\u{2CEAF}\\uF900-\\uFAFF\\u{2F800}-\\u{2FA1F}]', 'gu');
