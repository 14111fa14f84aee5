/**
 * Training steps of report 000's text classifier at its full profile: BERT-base with a head of two classes, batch 16 of texts of 128
 * tokens, AdamW, dropout; beside transformers' BertForSequenceClassification. Random weights and words.
 *
 *   npx tsx bench/bert.ts [--rounds 4] [--steps 2] [--json FILE] [--source]
 */
import type { TextBatch } from '../lib';
import { captioning, inFolder, options } from './harness/library';
import { Peer } from './harness/peer';
import { report } from './harness/results';
import { trainSideBySide } from './harness/training';

const { BertForSequenceClassification, captionSource, Random, save, TextBatches, tf } = captioning;
const values = options({ rounds: '4', steps: '2' });
const rounds = Number(values.rounds), steps = Number(values.steps);

async function main(folder: string): Promise<void> {
  const { batchSize, learningRate, weightDecay, maxGradNorm } = captionSource.full.training, random = new Random(1), length = 128;
  const model = new BertForSequenceClassification({}, 2, random), optimizer = { learningRate, weightDecay };
  save(folder, { model });
  const words = new Random(2), word = () => 1 + words.integer(model.config.vocabSize - 1);
  const texts = Array.from({ length: (rounds + 1) * steps * batchSize },
    (_, i) => ({ inputIds: Array.from({ length }, word), label: i % 2 }));
  const batches = new TextBatches(texts, { batchSize, padId: 0, seed: 1 }), order = batches.order(0);
  const peer = await Peer.start('bert.py', JSON.stringify({ folder, ...optimizer, maxGradNorm }));
  const row = await trainSideBySide<TextBatch>({
    work: `train step BERT-base classifier, batch ${batchSize} × ${length}`, target: 0.8, rounds, steps, peer,
    training: { model, loss: (batch) => tf.tidy(() => model.forward(batch).loss as never), optimizer, maxGradNorm, random },
    batch: (step) => batches.batch(order, step),
    write: ({ inputIds, attentionMask, labels }) =>
      ({ inputs: inputIds.arraySync(), mask: attentionMask.arraySync(), labels: labels.arraySync() }),
  });
  peer?.stop();
  report([peer?.description], [row], values.json);
}

void inFolder(main);
