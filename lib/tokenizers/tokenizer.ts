/** Text to ids and back with a published checkpoint's tokenizer, equal to Python's tokenizers and transformers. */
import { mkdirSync } from 'node:fs';
import { excerpt } from '../excerpt';
import { ChatMessage, renderChatTemplate } from './chat-template';
import { SpecialName, TokenizerFolder, copyTokenizer, hasTokenizer, readTokenizerFolder } from './tokenizer-folder';
import { Pipeline, makePipeline } from './tokenizer-pipeline';

export interface EncodeOptions {
  /** Adds the checkpoint's start, end and separator tokens (default true). */
  readonly addSpecialTokens?: boolean;
  /** Cuts to `maxLength` ids, special tokens included; of a pair the longer text first (default false). */
  readonly truncation?: boolean;
  /** Default: tokenizer_config.json's model_max_length. */
  readonly maxLength?: number;
  /** 'longest' pads to the longest of the batch, 'maxLength' to maxLength (default: none). */
  readonly padding?: false | 'longest' | 'maxLength';
  /** Default: the checkpoint's padding_side, else right. */
  readonly paddingSide?: 'left' | 'right';
  /** The side cut away. Default: the checkpoint's truncation_side, else right. */
  readonly truncationSide?: 'left' | 'right';
}

export interface Encoding {
  readonly inputIds: number[];
  /** 1 for an id of the text, 0 for padding. */
  readonly attentionMask: number[];
  /** 0 for the first text, 1 for the second; only where the model takes them (BERT). */
  readonly tokenTypeIds?: number[];
}

export interface BatchEncoding {
  readonly inputIds: number[][];
  readonly attentionMask: number[][];
  readonly tokenTypeIds?: number[][];
}

/** A text, or a pair of texts for models that take two. */
export type TokenizerInput = string | readonly [string, string];

export class Tokenizer {
  readonly padTokenId: number | null;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  readonly unkTokenId: number | null;
  readonly clsTokenId: number | null;
  readonly sepTokenId: number | null;
  readonly maskTokenId: number | null;
  /** Largest id + 1, added tokens included. */
  readonly vocabularySize: number;
  private readonly pipeline: Pipeline;
  private readonly specialTokens: ReadonlySet<string>;
  private readonly givesTypes: boolean;
  /** Added tokens that are looked for after normalization, as they then read. */
  private readonly normalizedIds = new Map<string, number>();

  private constructor(private readonly folder: TokenizerFolder) {
    const { tokenizer, special, additionalSpecial, config } = folder;
    this.pipeline = makePipeline(tokenizer, folder.file);
    const marked = tokenizer.added_tokens.filter((token) => token.special).map((token) => token.content);
    this.specialTokens = new Set([...marked, ...Object.values(special), ...additionalSpecial]);
    for (const { content, id, special: isSpecial, normalized } of tokenizer.added_tokens) {
      if ((normalized ?? !isSpecial) && this.pipeline.normalizer) this.normalizedIds.set(this.pipeline.normalizer.normalize(content), id);
    }
    const idOf = (name: SpecialName): number | null => {
      const token = special[name];
      if (token === undefined) return null;
      const id = this.pipeline.token_to_id(token);
      if (id === undefined) throw new Error(`${folder.file}: the ${name} ${excerpt(token)} is not in the vocabulary.`);
      return id;
    };
    this.padTokenId = idOf('pad_token');
    this.bosTokenId = idOf('bos_token');
    this.eosTokenId = idOf('eos_token');
    this.unkTokenId = idOf('unk_token');
    this.clsTokenId = idOf('cls_token');
    this.sepTokenId = idOf('sep_token');
    this.maskTokenId = idOf('mask_token');
    let largest = -1;
    for (const id of Object.values(tokenizer.model.vocab)) largest = Math.max(largest, id);
    for (const { id } of tokenizer.added_tokens) largest = Math.max(largest, id);
    this.vocabularySize = largest + 1;
    this.givesTypes = config.model_input_names?.includes('token_type_ids') ?? tokenizer.model.type === 'WordPiece';
  }

  /**
   * Reads a checkpoint's folder: tokenizer.json, or vocab.json + merges.txt, vocab.txt, vocab.bpe or CLIP's
   * bpe_simple_vocab_16e6.txt.gz; with tokenizer_config.json, special_tokens_map.json and a chat template where they are there.
   * Truncation and padding named in tokenizer.json are not applied unless asked for, as in transformers.
   *
   * @throws Error naming the file and the key that is wrong.
   */
  static fromPretrained(folder: string): Tokenizer {
    return new Tokenizer(readTokenizerFolder(folder));
  }

  /** Whether `fromPretrained` would find a tokenizer's files there. */
  static isIn(folder: string): boolean { return hasTokenizer(folder); }

  /** Copies the files that it was read from into `folder`. */
  save(folder: string): void {
    mkdirSync(folder, { recursive: true });
    copyTokenizer(this.folder.folder, folder);
  }

  /** One text or pair. Halves of surrogate pairs, which no UTF-8 text holds, become U+FFFD. */
  encode(input: TokenizerInput, options: EncodeOptions = {}): Encoding {
    const { inputIds, attentionMask, tokenTypeIds } = this.encodeBatch([input], options);
    return { inputIds: inputIds[0], attentionMask: attentionMask[0], ...(tokenTypeIds && { tokenTypeIds: tokenTypeIds[0] }) };
  }

  encodeBatch(inputs: readonly TokenizerInput[], options: EncodeOptions = {}): BatchEncoding {
    const encoded = inputs.map((input) => this.encodeOne(input, options));
    const target = this.paddedLength(encoded.map(({ ids }) => ids.length), options);
    const left = (options.paddingSide ?? this.folder.config.padding_side ?? 'right') === 'left';
    const pad = (values: number[], filler: number): number[] => {
      const padding = new Array<number>(Math.max(0, target - values.length)).fill(filler);
      return left ? [...padding, ...values] : [...values, ...padding];
    };
    return {
      // A target of 0 means no padding, when there need not be a padding token.
      inputIds: encoded.map(({ ids }) => pad(ids, this.padTokenId ?? 0)),
      attentionMask: encoded.map(({ ids }) => pad(ids.map(() => 1), 0)),
      ...(this.givesTypes && { tokenTypeIds: encoded.map(({ types }) => pad(types, 0)) }),
    };
  }

  /**
   * The text of ids. Bytes that are not UTF-8 become U+FFFD.
   *
   * @throws RangeError for an id outside the vocabulary (Python leaves it out silently).
   */
  decode(ids: Iterable<number>, { skipSpecialTokens = false }: { skipSpecialTokens?: boolean } = {}): string {
    const { model } = this.folder.tokenizer;
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.idToToken(id);
      if (!skipSpecialTokens || !this.specialTokens.has(token)) tokens.push(token);
    }
    let text = this.pipeline.decoder ? this.pipeline.decoder.decode(tokens) : tokens.join(' ');
    if (model.type === 'BPE' && model.end_of_word_suffix) text = strip(text.replaceAll(model.end_of_word_suffix, ' '));
    // transformers cleans up after WordPiece only: byte-level pieces carry their own spaces.
    return model.type === 'WordPiece' && this.folder.config.clean_up_tokenization_spaces ? cleanUp(text) : text;
  }

  decodeBatch(batch: Iterable<Iterable<number>>, options: { skipSpecialTokens?: boolean } = {}): string[] {
    return Array.from(batch, (ids) => this.decode(ids, options));
  }

  tokenToId(token: string): number | null { return this.pipeline.token_to_id(token) ?? null; }

  /** @throws RangeError for an id outside the vocabulary. */
  idToToken(id: number): string {
    const token = this.pipeline.id_to_token(id);
    if (token === undefined) {
      throw new RangeError(`Id ${id} is outside the vocabulary of ${this.folder.file} (ids run from 0 to ${this.vocabularySize - 1}).`);
    }
    return token;
  }

  /**
   * The prompt for a conversation by the checkpoint's chat template; encode it with `addSpecialTokens: false`.
   *
   * @throws Error where the checkpoint has no chat template, or the template refuses the messages.
   */
  applyChatTemplate(messages: readonly ChatMessage[], { addGenerationPrompt = false }: { addGenerationPrompt?: boolean } = {}): string {
    const { chatTemplate, file, special } = this.folder;
    if (chatTemplate === null) {
      throw new Error(`${file}: this checkpoint has no chat template (chat_template.json, chat_template.jinja or 'chat_template' in tokenizer_config.json).`);
    }
    return renderChatTemplate(chatTemplate, { messages, addGenerationPrompt, special }, file);
  }

  private encodeOne(input: TokenizerInput, options: EncodeOptions): { ids: number[]; types: number[] } {
    const [text, pair] = typeof input === 'string' ? [input, null] : input;
    const addSpecialTokens = options.addSpecialTokens ?? true;
    const tokenize = (part: string) => this.pipeline.tokenize(part.replace(/\p{Surrogate}/gu, '\ufffd'));
    let first = tokenize(text);
    let second = pair === null ? null : tokenize(pair);
    if (options.truncation) {
      const maxLength = this.maxLength(options);
      const added = addSpecialTokens ? this.assemble([], second && [], true).tokens.length : 0;
      if (maxLength < added) throw new RangeError(`maxLength is ${maxLength}, but the special tokens alone are ${added}.`);
      const left = (options.truncationSide ?? this.folder.config.truncation_side ?? 'right') === 'left';
      const cut = (tokens: string[], n: number) => (left ? tokens.slice(Math.max(0, tokens.length - n)) : tokens.slice(0, n));
      const [n1, n2] = longestFirst(first.length, second?.length ?? 0, maxLength - added);
      first = cut(first, n1);
      second = second && cut(second, n2);
    }
    const { tokens, types } = this.assemble(first, second, addSpecialTokens);
    return { ids: tokens.map((token) => this.idOf(token)), types };
  }

  private assemble(first: string[], second: string[] | null, addSpecialTokens: boolean): { tokens: string[]; types: number[] } {
    const processed = this.pipeline.post_processor?.post_process(first, second, addSpecialTokens);
    // The byte-level post-processor hands both texts on apart.
    const joined = processed?.token_type_ids ? processed.tokens : [...first, ...(second ?? [])];
    return { tokens: joined, types: processed?.token_type_ids ?? [...first.map(() => 0), ...(second ?? []).map(() => 1)] };
  }

  private idOf(token: string): number {
    const id = this.pipeline.token_to_id(token) ?? this.normalizedIds.get(token);
    if (id === undefined) throw new Error(`${this.folder.file}: the piece ${excerpt(token)} has no id.`);
    return id;
  }

  private maxLength(options: EncodeOptions): number {
    const length = options.maxLength ?? this.folder.config.model_max_length ?? Infinity;
    // transformers writes 1e30 where a checkpoint sets no limit.
    if (options.maxLength === undefined && length > 1e9) {
      throw new Error(`${this.folder.file}: the checkpoint names no model_max_length; give maxLength.`);
    }
    if (!Number.isInteger(length) || length < 0) {
      throw new RangeError(`maxLength is ${length}; expected a whole number of at least 0.`);
    }
    return length;
  }

  private paddedLength(lengths: readonly number[], options: EncodeOptions): number {
    if (!options.padding) return 0;
    if (this.padTokenId === null) {
      throw new Error(`${this.folder.file}: the checkpoint has no padding token; set 'pad_token' in tokenizer_config.json.`);
    }
    return options.padding === 'longest' ? lengths.reduce((a, b) => Math.max(a, b), 0) : this.maxLength(options);
  }
}

/** How many tokens of each text are kept (tokenizers/src/utils/truncation.rs, LongestFirst). */
function longestFirst(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  let longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
  let kept = shorter;
  if (kept + longer > room) {
    kept = Math.floor(room / 2);
    longer = kept + (room % 2);
  }
  return first > second ? [longer, kept] : [kept, longer];
}

/** Python's str.strip. */
const strip = (text: string): string => text.replace(/^[\p{White_Space}\x1c-\x1f]+|[\p{White_Space}\x1c-\x1f]+$/gu, '');

/** transformers' clean_up_tokenization. */
function cleanUp(text: string): string {
  return text.replaceAll(' .', '.').replaceAll(' ?', '?').replaceAll(' !', '!').replaceAll(' ,', ',').replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't").replaceAll(" 'm", "'m").replaceAll(" 's", "'s").replaceAll(" 've", "'ve").replaceAll(" 're", "'re");
}
