/**
 * SmolVLM's texts and pictures together (transformers' SmolVLMProcessor and Idefics3Processor): each `<image>` of a prompt becomes the
 * places of its tiles, row by row, and of the whole picture.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { tf, type Tensor } from '../../engine';
import { SmolVLMImageProcessor, type ImageSource, type ImageTiles, type SmolVLMImageConfig } from '../../images';
import { Tokenizer, type ChatMessage, type EncodeOptions } from '../../tokenizers';
import { writeWhole } from '../../whole-file';
import { readJsonObject } from '../config-json';

const around = '<fake_token_around_image>', place = '<image>', whole = '<global-img>';

export interface SmolVLMPrompts {
  /** One prompt or several; `applyChatTemplate` makes them of conversations. */
  text: string | readonly string[];
  /** A list of pictures for each prompt, or all of them in the order of their places. */
  images?: readonly ImageSource[] | readonly (readonly ImageSource[])[];
  /** Where shorter texts are filled; left unless given, so that `generate` can go on at the right. */
  paddingSide?: EncodeOptions['paddingSide'];
}

/** What the network takes; all tensors are the caller's to dispose. */
export interface SmolVLMBatch {
  /** (B, T) int32 */
  inputIds: Tensor;
  /** (B, T) int32, 0 for padding */
  attentionMask: Tensor;
  /** (B, tiles, side, side, 3), where there are pictures */
  pixelValues?: Tensor;
  /** (B, tiles, side, side) int32 */
  pixelAttentionMask?: Tensor;
}

const file = 'processor_config.json';
const schema = z.object({ image_seq_len: z.number().int().positive().max(100_000).default(169), processor_class: z.string().optional() });

export class SmolVLMProcessor {
  /**
   * @param imageSeqLen words that stand for a tile: (side / patch / scaleFactor)²
   * @throws where the tokenizer lacks the words for pictures
   */
  constructor(readonly imageProcessor: SmolVLMImageProcessor, readonly tokenizer: Tokenizer, readonly imageSeqLen: number) {
    const missing = [around, place, whole].filter((token) => tokenizer.tokenToId(token) === null);
    if (missing.length) throw new Error(`The tokenizer has no ${missing.join(', ')}: it does not belong to a SmolVLM.`);
  }

  /**
   * The processor of the checkpoint in `folder`; `overrides` change how its pictures are prepared (`{ doImageSplitting: false }`).
   *
   * @throws Error naming the file and key that is wrong or missing.
   */
  static fromPretrained(
    folder: string, overrides: Partial<SmolVLMImageConfig> = {}, tokenizer = Tokenizer.fromPretrained(folder),
  ): SmolVLMProcessor {
    const parsed = schema.safeParse(readJsonObject(folder, file) ?? {});
    if (!parsed.success) {
      const { path: key, message } = parsed.error.issues[0];
      throw new Error(`${path.join(folder, file)}: '${key.join('.')}': ${message}`);
    }
    return new SmolVLMProcessor(SmolVLMImageProcessor.fromPretrained(folder, overrides), tokenizer, parsed.data.image_seq_len);
  }

  /** Writes `preprocessor_config.json` and `processor_config.json`; the tokenizer saves itself. */
  save(folder: string): void {
    this.imageProcessor.save(folder);
    fs.mkdirSync(folder, { recursive: true });
    const json = { processor_class: 'SmolVLMProcessor', image_seq_len: this.imageSeqLen };
    writeWhole(path.join(folder, file), `${JSON.stringify(json, null, 2)}\n`);
  }

  /** The prompt of a conversation by the checkpoint's chat template, `<image>` in the places of pictures. */
  applyChatTemplate(messages: readonly ChatMessage[], options: { addGenerationPrompt?: boolean } = {}): string {
    return this.tokenizer.applyChatTemplate(messages, options);
  }

  /** Prompts and pictures as the network takes them. @throws where a prompt has not as many `<image>` as pictures */
  async process({ text, images = [], paddingSide = 'left' }: SmolVLMPrompts): Promise<SmolVLMBatch> {
    const texts = typeof text === 'string' ? [text] : text;
    if (texts.length === 0) throw new Error('There is no text to process.');
    const pictures = picturesOf(texts, images);
    const prepared = pictures.some((list) => list.length > 0) ? await this.imageProcessor.batch(pictures) : undefined;
    const expanded = prepared ? texts.map((one, i) => this.expand(one, prepared.rows[i], prepared.columns[i])) : texts;
    const padding = texts.length > 1 && 'longest';
    const { inputIds, attentionMask } = this.tokenizer.encodeBatch(expanded, { padding, paddingSide });
    if (inputIds[0].length === 0) throw new Error('The text is empty.');
    return {
      inputIds: tf.tensor2d(inputIds, undefined, 'int32'), attentionMask: tf.tensor2d(attentionMask, undefined, 'int32'),
      ...(prepared ? tensorsOf(prepared) : {}),
    };
  }

  /** A prompt with the places of its pictures' tiles; rows and columns of each picture, 0 where it was not cut. */
  expand(text: string, rows: readonly number[], columns: readonly number[]): string {
    const parts = text.split(place);
    return parts.map((part, i) => (i === 0 ? part : this.places(rows[i - 1], columns[i - 1]) + part)).join('');
  }

  private places(rows: number, columns: number): string {
    const tile = place.repeat(this.imageSeqLen), end = around + whole + tile + around;
    if (rows === 0 && columns === 0) return end;
    const row = (r: number) => Array.from({ length: columns }, (_, c) => `${around}<row_${r + 1}_col_${c + 1}>${tile}`).join('');
    return `${Array.from({ length: rows }, (_, r) => `${row(r)}\n`).join('')}\n${end}`;
  }
}

type Lists = readonly (readonly ImageSource[])[];

/** The pictures of each text. */
function picturesOf(texts: readonly string[], images: readonly ImageSource[] | Lists): Lists {
  const wanted = texts.map((text) => text.split(place).length - 1), total = wanted.reduce((a, b) => a + b, 0);
  const nested = images.length > 0 && Array.from<unknown>(images).every(Array.isArray);
  const lists = nested ? images as Lists : wanted.map((count, i) => {
    const from = wanted.slice(0, i).reduce((a, b) => a + b, 0);
    return (images as readonly ImageSource[]).slice(from, from + count);
  });
  const given = nested ? lists.map((list) => list.length) : [images.length];
  if (`${given}` !== `${nested ? wanted : [total]}`) {
    throw new Error(`The prompts hold ${place} ${wanted.join(', ')} times, but there are ${given.join(', ')} pictures: `
      + 'expected as many pictures as places.');
  }
  return lists;
}

const tensorsOf = ({ pixelValues, pixelAttentionMask }: ImageTiles): { pixelValues: Tensor; pixelAttentionMask: Tensor } => ({
  pixelValues: tf.tensor(pixelValues.data, pixelValues.shape),
  pixelAttentionMask: tf.tensor(pixelAttentionMask.data, pixelAttentionMask.shape, 'int32'),
});
