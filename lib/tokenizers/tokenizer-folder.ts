/** What a checkpoint's folder says about its text: tokenizer.json or older vocabulary files, special tokens, chat template. */
import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { excerpt, readable } from '../excerpt';
import {
  BertOptions, CLIP_MERGES, TokenizerDefaults, bertTokenizer, clipTokenizer, clipVocabularyOf, gpt2Tokenizer, gpt2VocabularyOf, parseMerges,
} from './vocabulary-files';

/** Largest file read; published tokenizer.json files stay below 40 MB. */
const MAX_BYTES = 100 * 2 ** 20;
const MAX_ID = 5_000_000;
const MAX_TEMPLATE = 1_000_000;

const Id = z.number().int().nonnegative().max(MAX_ID);
const Vocabulary = z.record(z.string(), Id);
const Merges = z.array(z.union([z.string(), z.tuple([z.string(), z.string()])]));
const StepSchema = z.looseObject({ type: z.string() }).nullable();
const TokenizerFile = z.looseObject({
  added_tokens: z.array(z.looseObject({
    id: Id, content: z.string().min(1), special: z.boolean(), normalized: z.boolean().optional(),
    // A token that matches whole words only is matched everywhere by the library: refused rather than wrong.
    single_word: z.literal(false, 'true is not supported').optional(),
  })),
  normalizer: StepSchema,
  pre_tokenizer: StepSchema,
  post_processor: StepSchema,
  decoder: StepSchema,
  model: z.discriminatedUnion('type', [
    z.looseObject({ type: z.literal('BPE'), vocab: Vocabulary, merges: Merges, unk_token: z.string().nullish(),
      end_of_word_suffix: z.string().nullish(), continuing_subword_prefix: z.literal('', 'only an empty prefix is supported').nullish() }),
    z.looseObject({ type: z.literal('WordPiece'), vocab: Vocabulary, unk_token: z.string(), continuing_subword_prefix: z.string(),
      max_input_chars_per_word: Id }),
  ], 'expected a model of type BPE or WordPiece'),
});
export type TokenizerJson = z.infer<typeof TokenizerFile>;

const TokenName = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]).nullish();
const SpecialTokens = z.looseObject({
  pad_token: TokenName, bos_token: TokenName, eos_token: TokenName, unk_token: TokenName,
  cls_token: TokenName, sep_token: TokenName, mask_token: TokenName,
  additional_special_tokens: z.array(TokenName).nullish(),
});
const Side = z.enum(['left', 'right']);
const Template = z.string().max(MAX_TEMPLATE);
const ConfigFile = SpecialTokens.extend({
  tokenizer_class: z.string().nullish(),
  model_max_length: z.number().positive().nullish(),
  padding_side: Side.nullish(),
  truncation_side: Side.nullish(),
  clean_up_tokenization_spaces: z.boolean().nullish(),
  add_prefix_space: z.boolean().nullish(),
  do_lower_case: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
  model_input_names: z.array(z.string()).nullish(),
  chat_template: z.union([Template, z.array(z.object({ name: z.string(), template: Template }))]).nullish(),
});
type Config = z.infer<typeof ConfigFile>;

export const SPECIAL_NAMES = ['pad_token', 'bos_token', 'eos_token', 'unk_token', 'cls_token', 'sep_token', 'mask_token'] as const;
export type SpecialName = (typeof SPECIAL_NAMES)[number];

export interface TokenizerFolder {
  readonly folder: string;
  /** The file the vocabulary came from, for messages. */
  readonly file: string;
  readonly tokenizer: TokenizerJson;
  readonly special: Readonly<Partial<Record<SpecialName, string>>>;
  readonly additionalSpecial: readonly string[];
  readonly config: Config;
  readonly chatTemplate: string | null;
}

/** Files that hold a vocabulary, each set enough by itself. */
const VOCABULARIES: readonly (readonly string[])[] = [['tokenizer.json'], ['vocab.json', 'merges.txt'], ['vocab.txt'], ['vocab.bpe'], ['bpe_simple_vocab_16e6.txt.gz']];
const BESIDE = ['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'chat_template.json', 'chat_template.jinja'] as const;

export const hasTokenizer = (folder: string): boolean => VOCABULARIES.some((files) => files.every((name) => existsSync(join(folder, name))));

/** Copies all files of the tokenizer in `from` that are there. */
export function copyTokenizer(from: string, to: string): void {
  for (const name of [...VOCABULARIES.flat(), ...BESIDE]) if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
}

/** @throws Error naming the file and the key that is wrong, or the files that would do where there is none. */
export function readTokenizerFolder(folder: string): TokenizerFolder {
  const at = (name: string) => join(folder, name);
  const [configFile, mapFile] = [at('tokenizer_config.json'), at('special_tokens_map.json')];
  const config = existsSync(configFile) ? check(ConfigFile, readJson(configFile), configFile) : {};
  const map = existsSync(mapFile) ? check(SpecialTokens, readJson(mapFile), mapFile) : {};
  let file = at('tokenizer.json');
  let tokenizer: TokenizerJson;
  let defaults: Readonly<Record<string, string>> = {};
  if (existsSync(file)) tokenizer = check(TokenizerFile, readJson(file), file);
  else {
    const built = readVocabularyFiles(folder, config);
    file = built.file;
    // The file's own keys were checked as it was read; this checks what was built of it.
    tokenizer = check(TokenizerFile, built.tokenizer, file);
    defaults = built.special;
  }
  checkIds(tokenizer, file);
  const special: Partial<Record<SpecialName, string>> = {};
  for (const name of SPECIAL_NAMES) {
    // tokenizer_config.json has the last word, a null in it included.
    const token = config[name] !== undefined ? config[name] : map[name] !== undefined ? map[name] : defaults[name];
    if (token) special[name] = token;
  }
  const additionalSpecial = [...(config.additional_special_tokens ?? []), ...(map.additional_special_tokens ?? [])]
    .filter((token): token is string => typeof token === 'string');
  return { folder, file, tokenizer, special, additionalSpecial, config, chatTemplate: readChatTemplate(folder, config) };
}

function readVocabularyFiles(folder: string, config: Config): TokenizerDefaults & { file: string } {
  const at = (name: string) => join(folder, name);
  const set = Object.entries(config).filter(([, value]) => value !== undefined && value !== null);
  const options = Object.fromEntries(set) as BertOptions & { add_prefix_space?: boolean };
  if (existsSync(at('vocab.json')) && existsSync(at('merges.txt'))) {
    const file = at('vocab.json');
    const vocab = check(Vocabulary, readJson(file), file);
    const merges = parseMerges(readText(at('merges.txt')), at('merges.txt'));
    const clip = config.tokenizer_class
      ? config.tokenizer_class.startsWith('CLIP')
      : Object.keys(vocab).some((piece) => piece.length > 4 && piece.endsWith('</w>'));
    return { file, ...(clip ? clipTokenizer(vocab, merges, file) : gpt2Tokenizer(vocab, merges, file, options.add_prefix_space)) };
  }
  if (existsSync(at('vocab.txt'))) {
    const lines = readText(at('vocab.txt')).split(/\r?\n/);
    if (lines.at(-1) === '') lines.pop();
    return { file: at('vocab.txt'), ...bertTokenizer(lines, at('vocab.txt'), options) };
  }
  if (existsSync(at('vocab.bpe'))) {
    const merges = parseMerges(readText(at('vocab.bpe')), at('vocab.bpe'));
    return { file: at('vocab.bpe'), ...gpt2Tokenizer(gpt2VocabularyOf(merges), merges, at('vocab.bpe'), options.add_prefix_space) };
  }
  const packed = at('bpe_simple_vocab_16e6.txt.gz');
  if (existsSync(packed)) {
    const merges = parseMerges(unpack(packed), packed, CLIP_MERGES);
    return { file: packed, ...clipTokenizer(clipVocabularyOf(merges), merges, packed) };
  }
  throw new Error(`${folder}: no tokenizer in it; expected tokenizer.json, or vocab.json with merges.txt, or vocab.txt, vocab.bpe or `
    + `bpe_simple_vocab_16e6.txt.gz.`);
}

function readChatTemplate(folder: string, config: Config): string | null {
  const plain = join(folder, 'chat_template.jinja');
  if (existsSync(plain)) return check(Template, readText(plain), plain);
  const file = join(folder, 'chat_template.json');
  if (existsSync(file)) return check(z.looseObject({ chat_template: Template }), readJson(file), file).chat_template;
  const inConfig = config.chat_template;
  return typeof inConfig === 'string' ? inConfig : (inConfig?.find(({ name }) => name === 'default')?.template ?? null);
}

/** Two pieces with one id, or merges that make no piece, give wrong ids silently. */
function checkIds({ model, added_tokens }: TokenizerJson, file: string): void {
  const byId = new Map<number, string>();
  for (const [piece, id] of Object.entries(model.vocab)) {
    const other = byId.get(id);
    if (other !== undefined) throw new Error(`${file}: 'model.vocab' gives id ${id} to both ${excerpt(other)} and ${excerpt(piece)}.`);
    byId.set(id, piece);
  }
  for (const { id, content } of added_tokens) {
    const other = byId.get(id);
    if (other !== undefined && other !== content) {
      throw new Error(`${file}: 'added_tokens' gives id ${id} to ${excerpt(content)}, which is the id of ${excerpt(other)}.`);
    }
    byId.set(id, content);
  }
  if (model.unk_token && !Object.hasOwn(model.vocab, model.unk_token) && !added_tokens.some(({ content }) => content === model.unk_token)) {
    throw new Error(`${file}: 'model.unk_token' is ${excerpt(model.unk_token)}, which is not in the vocabulary.`);
  }
  if (model.type !== 'BPE') return;
  for (const [i, merge] of model.merges.entries()) {
    const parts = typeof merge === 'string' ? merge.split(' ') : merge;
    const unknown = parts.length === 2 ? [...parts, parts.join('')].find((piece) => !Object.hasOwn(model.vocab, piece)) : String(merge);
    if (unknown !== undefined) {
      throw new Error(`${file}: 'merges' ${i} (${excerpt(parts.join(' '))}): ${excerpt(unknown)} is not in the vocabulary.`);
    }
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(readable(`${file}: ${issue.path.length > 0 ? `'${issue.path.join('.')}': ` : ''}${issue.message}.`));
}

function readJson(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: this is not JSON (${error instanceof Error ? error.message : String(error)}).`, { cause: error });
  }
}

function readText(file: string): string {
  return decode(readBytes(file), file);
}

function unpack(file: string): string {
  let bytes: Buffer;
  try {
    bytes = gunzipSync(readBytes(file), { maxOutputLength: MAX_BYTES });
  } catch (error) {
    throw new Error(`${file}: this cannot be unpacked (${error instanceof Error ? error.message : String(error)}); download it again.`, { cause: error });
  }
  return decode(bytes, file);
}

function readBytes(file: string): Buffer {
  const { size } = statSync(file);
  if (size > MAX_BYTES) throw new Error(`${file}: ${size} bytes; a tokenizer's file has at most ${MAX_BYTES}.`);
  return readFileSync(file);
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error(`${file}: this is not UTF-8 text.`, { cause: error });
  }
}
