/**
 * Training steps of report 004's captioner at its full profile: a Transformer decoder of 4 layers on cached features of DeiT-III-L (197
 * positions of 1,024), batch 32, captions of 28 words, AdamW, dropout; float32. Beside torch.nn.TransformerDecoder with the same weights.
 * Random features, from the cache's file on disk; random words.
 *
 *   npx tsx bench/deit-transformer.ts [--rounds 4] [--steps 2] [--json FILE] [--source]
 */
import * as path from 'node:path';
import type { CaptionBatch } from '../lib';
import { captioning, inFolder, options, writeTensor } from './harness/library';
import { Peer } from './harness/peer';
import { report } from './harness/results';
import { trainSideBySide } from './harness/training';

const { deitTransformer, FeatureCache, Random, saveState, tf, TransformerDecoder } = captioning;
const values = options({ rounds: '4', steps: '2' });
const rounds = Number(values.rounds), steps = Number(values.steps), positions = 197, featureSize = 1024, vocabSize = 2540;

async function main(folder: string): Promise<void> {
  const { decoder: sizes, training: { batchSize, learningRate, weightDecay = 0, maxGradNorm, maxWords } } = deitTransformer.full;
  const random = new Random(1), optimizer = { learningRate, weightDecay };
  const model = new TransformerDecoder({ ...sizes, vocabSize, featureSize }, random);
  saveState(model, path.join(folder, 'model.safetensors'));
  const ids = Array.from({ length: 2 * batchSize }, (_, i) => `picture ${i}`), picture = positions * featureSize;
  const features = await FeatureCache.open({
    folder, name: 'features', fingerprint: 1, shape: [positions, featureSize], ids,
    compute: async function* () { for (const _ of ids) yield Float32Array.from({ length: picture }, () => random.uniform() - 0.5); },
  });
  const words = (seed: number): number[][] => {
    const source = new Random(seed);
    return Array.from({ length: batchSize }, () => Array.from({ length: maxWords + 1 }, () => 4 + source.integer(vocabSize - 4)));
  };
  const peer = await Peer.start('deit_transformer.py', JSON.stringify({ ...model.config, folder, ...optimizer, maxGradNorm }));
  const picturesOf = (step: number) => Array.from({ length: batchSize }, (_, i) => ids[(step * batchSize + i) % ids.length]);
  const row = await trainSideBySide<CaptionBatch>({
    work: `train step DeiT-III-L features (cached) + 4-layer Transformer decoder, batch ${batchSize} × ${maxWords + 1}`, target: 0.6,
    rounds, steps, peer,
    training: { model, loss: (batch) => model.loss(batch), optimizer, maxGradNorm, random },
    batch: (step) => ({
      features: tf.tensor(features.read(picturesOf(step)), [batchSize, positions, featureSize]),
      inputIds: tf.tensor2d(words(2 * step + 1), undefined, 'int32'), labels: tf.tensor2d(words(2 * step + 2), undefined, 'int32'),
    }),
    write: (batch, place) => ({
      features: writeTensor(path.join(folder, `features-${place}.bin`), batch.features),
      inputs: batch.inputIds.arraySync(), labels: batch.labels.arraySync(),
    }),
  });
  peer?.stop();
  features.close();
  report([peer?.description], [row], values.json);
}

void inFolder(main);
