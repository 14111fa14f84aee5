/** Which model wrote a caption: BERT on the original caption, the generated one and the level of occlusion (report 000, Part C). */
import { z } from 'zod';
import { SOURCE_MODELS, type CaptionSourceRow } from '../datasets';
import { tf, yieldToEventLoop, type Random } from '../engine';
import { BertForSequenceClassification, load, save } from '../models';
import { encodeJoined, type JoinedText, type Tokenizer } from '../tokenizers';
import { padTexts } from './padded-texts';

/** Parts of the input, in the order they are given: the report's are all three. */
export const SOURCE_FIELDS = ['original', 'generated', 'level'] as const;
export type SourceField = typeof SOURCE_FIELDS[number];

export interface SourceInputFormat {
  fields: readonly SourceField[];
  /** Ids of an input, separators included. Captions are cut, the longest first; the level never is. */
  maxLength: number;
}

/** `[CLS] original [SEP] generated [SEP] level [SEP]` in at most 128 ids. */
export const reportFormat: SourceInputFormat = { fields: SOURCE_FIELDS, maxLength: 128 };

const settingsSchema = z.object({
  id2label: z.record(z.string(), z.string()),
  task_specific_params: z.object({
    caption_source: z.object({ fields: z.array(z.enum(SOURCE_FIELDS)).min(1), max_length: z.number().int().positive() }),
  }),
});

export interface ClassifyOptions {
  /** Default 64. */
  batchSize?: number;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

export interface SourcePrediction {
  /** Position in `sources`. */
  label: number;
  source: string;
  /** One a source, by softmax. */
  probabilities: number[];
  logits: number[];
}

/** A trained or fresh BERT with what turns a row into its input and its output into a source. */
export class CaptionSourceClassifier {
  /** @param sources names of the classes, in their order */
  constructor(
    readonly model: BertForSequenceClassification, readonly tokenizer: Tokenizer,
    readonly sources: readonly string[] = SOURCE_MODELS, readonly format: SourceInputFormat = reportFormat,
  ) {
    const { vocabSize, maxPositionEmbeddings } = model.config;
    if (model.numLabels !== sources.length) {
      throw new Error(`The network has ${model.numLabels} classes, but there are ${sources.length} sources: ${sources.join(', ')}.`);
    }
    if (tokenizer.vocabularySize > vocabSize) {
      throw new Error(`The tokenizer has ${tokenizer.vocabularySize} pieces, the network ${vocabSize}: they are of different checkpoints.`);
    }
    if (format.maxLength > maxPositionEmbeddings) {
      throw new Error(`maxLength is ${format.maxLength}, but the network has ${maxPositionEmbeddings} positions.`);
    }
    if (format.fields.length === 0) throw new Error(`The input has no fields: give one or more of ${SOURCE_FIELDS.join(', ')}.`);
  }

  /** A classifier with a fresh head on a pretrained BERT (or the one of a checkpoint that has one): all of it is trained. */
  static fromPretrained(
    nameOrFolder: string, { sources = SOURCE_MODELS, format = reportFormat, random }: {
      sources?: readonly string[]; format?: SourceInputFormat; random?: Random;
    } = {},
  ): CaptionSourceClassifier {
    const { model, tokenizer } = load(nameOrFolder, {
      as: BertForSequenceClassification, config: { numLabels: sources.length }, ...(random && { random }),
      // The language model's own head stays behind and the classifier is new: no news.
      strict: false, warn: () => {},
    });
    if (!tokenizer) throw new Error(`${nameOrFolder} has no tokenizer: expected tokenizer.json or vocab.txt beside the weights.`);
    return new CaptionSourceClassifier(model, tokenizer, sources, format);
  }

  /** Reads what `save` wrote. */
  static load(folder: string): CaptionSourceClassifier {
    const { model, tokenizer, config } = load(folder, { as: BertForSequenceClassification });
    const parsed = settingsSchema.safeParse(config);
    if (!parsed.success || !tokenizer) {
      model.dispose();
      const { path, message } = parsed.error?.issues[0] ?? { path: [], message: 'there is no tokenizer beside it' };
      throw new Error(`${folder}/config.json: ${path.join('.')}: ${message}; expected a caption-source classifier as saved here.`);
    }
    const { id2label, task_specific_params: { caption_source: { fields, max_length: maxLength } } } = parsed.data;
    return new CaptionSourceClassifier(model, tokenizer, Object.values(id2label), { fields, maxLength });
  }

  /** A checkpoint folder that transformers loads as BertForSequenceClassification; config.json also holds the input's format. */
  save(folder: string): void {
    const { model, tokenizer, sources, format: { fields, maxLength } } = this;
    save(folder, { model, tokenizer, config: {
      id2label: Object.fromEntries(sources.map((source, i) => [i, source])),
      label2id: Object.fromEntries(sources.map((source, i) => [source, i])),
      task_specific_params: { caption_source: { fields, max_length: maxLength } },
    } });
  }

  /** The ids of a row, and where each of the format's fields lies in them. */
  encode(row: CaptionSourceRow): JoinedText {
    const { fields, maxLength } = this.format;
    const texts: Record<SourceField, string> = {
      original: row.originalCaption, generated: row.generatedCaption, level: String(row.occlusionLevel),
    };
    return encodeJoined(this.tokenizer, fields.map((field) => ({ text: texts[field], keep: field === 'level' })), { maxLength });
  }

  /** @throws Error for a row of a source that is none of the classifier's */
  labelOf({ sourceModel, imageFilename }: CaptionSourceRow): number {
    const label = this.sources.indexOf(sourceModel);
    if (label < 0) throw new Error(`The row of ${imageFilename} is of ${sourceModel}: expected one of ${this.sources.join(', ')}.`);
    return label;
  }

  /** The network's output for each input, in order. Inputs of like length are computed together, so that little is padded. */
  async logits(inputs: readonly (readonly number[])[], { batchSize = 64, signal, onProgress }: ClassifyOptions = {}): Promise<number[][]> {
    const order = Array.from(inputs.keys()).sort((a, b) => inputs[a].length - inputs[b].length || a - b);
    const results = new Array<number[]>(inputs.length);
    this.model.eval();
    for (let from = 0; from < order.length; from += batchSize) {
      signal?.throwIfAborted();
      const rows = order.slice(from, from + batchSize);
      const logits = tf.tidy(() => this.model.forward({ ...padTexts(rows.map((i) => inputs[i]), this.tokenizer.padTokenId ?? 0) }).logits);
      const values = logits.dataSync(), classes = this.sources.length;
      logits.dispose();
      for (const [k, i] of rows.entries()) results[i] = Array.from(values.subarray(k * classes, (k + 1) * classes));
      onProgress?.(from + rows.length, order.length);
      await yieldToEventLoop();
    }
    return results;
  }

  async predict(rows: readonly CaptionSourceRow[], options: ClassifyOptions = {}): Promise<SourcePrediction[]> {
    const logits = await this.logits(rows.map((row) => this.encode(row).inputIds), options);
    return logits.map((values) => {
      const label = values.indexOf(Math.max(...values));
      return { label, source: this.sources[label], probabilities: softmax(values), logits: values };
    });
  }

  dispose(): void { this.model.dispose(); }
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits), powers = logits.map((value) => Math.exp(value - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}
