/** Left padding: what a batch of prompted captions looks like, and what padding does where positions are not counted from the text. */
import { Gpt2Decoder, type CaptionBatch, type PositionsFrom, type PromptedCaptioner } from '../captioners';
import type { CaptionDataset } from '../datasets';
import { tf, type Tensor2D } from '../engine';
import { positionIdsOf } from '../models';
import { captionRows, CaptionBatches, meanLoss, type PictureFeatures } from '../training';

/** One place of a row of a batch, pieces as text. */
export interface PaddedPiece { column: number; input: string; mask: number; position: number; label: string }

/** Captions as one batch, a list of pieces for each: what the decoder reads, where, and what it is scored on (−100: nothing). */
export function paddedPieces({ vocabulary, tokenizer }: PromptedCaptioner, captions: readonly string[]): PaddedPiece[][] {
  const { inputIds, labels, attentionMask } = captionRows(captions.map((caption) => vocabulary.encode(caption)), vocabulary);
  const positions = positionIdsOf(attentionMask!), parts = [inputIds, attentionMask!, positions, labels];
  const [inputs, mask, places, wanted] = parts.map((part) => part.arraySync() as number[][]);
  tf.dispose(parts);
  const text = (id: number): string => (id === -100 ? '−100' : JSON.stringify(tokenizer.decode([id])));
  return inputs.map((row, r) => row.map((id, column) =>
    ({ column, input: text(id), mask: mask[r][column], position: places[r][column], label: text(wanted[r][column]) })));
}

export interface PaddingEffectOptions {
  captioner: PromptedCaptioner;
  /** Whose captions are scored, one a picture. */
  dataset: CaptionDataset;
  features: PictureFeatures;
  /** Columns of padding, beside those that the longest caption of a batch asks for. */
  columns: readonly number[];
  /** Pieces kept of a longer caption. */
  maxWords: number;
  batchSize?: number;
}

/** Mean loss of the same captions behind so many more columns of padding, by where positions are counted from. */
export interface PaddingEffect extends Record<PositionsFrom, number> { columns: number }

export async function paddingEffect(
  { captioner, dataset, features, columns, maxWords, batchSize = 25 }: PaddingEffectOptions,
): Promise<PaddingEffect[]> {
  const { model, vocabulary } = captioner, effects: PaddingEffect[] = [];
  const batches = new CaptionBatches({ dataset, features, vocabulary, maxWords, batchSize, captionsPerEpoch: 'one' });
  const lossOf = (from: PositionsFrom, count: number): Promise<number> => {
    const decoder = new Gpt2Decoder(model, from);
    return meanLoss(batches, (batch) => tf.tidy(() => decoder.loss(padded(batch, count, vocabulary.padId))));
  };
  for (const count of columns) effects.push({ columns: count, text: await lossOf('text', count), batch: await lossOf('batch', count) });
  return effects;
}

function padded({ inputIds, attentionMask, labels, features }: CaptionBatch, columns: number, padId: number): CaptionBatch {
  const left = (matrix: Tensor2D, filling: number): Tensor2D => tf.pad(matrix, [[0, 0], [columns, 0]], filling);
  return { features, inputIds: left(inputIds, padId), attentionMask: left(attentionMask!, 0), labels: left(labels, -100) };
}
