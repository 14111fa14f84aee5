/**
 * A training step of report 003's decoder (forward, backward, Adam) here and in PyTorch: batch 32, 20 words, 49 positions of 1,280
 * features, embedding 256, hidden 512, a vocabulary of 2,540, dropout 0.5. The sides take turns; medians of the steps' times.
 *
 *   npx tsx bench/attention-gru.ts [--rounds 8] [--steps 4]
 */
import { parseArgs } from 'node:util';
import type * as Captioning from '../lib';
import { median, Peer } from './peer';

// The compiled library is measured, as notebooks use it.
const { Adam, AttentionGruDecoder, attentionGruDefaults, Random, tf, valueAndGradients } = require('captioning') as typeof Captioning;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '8' }, steps: { type: 'string', default: '4' } } });
const rounds = Number(values.rounds), steps = Number(values.steps);
const size = { batch: 32, words: 20, positions: 49, featureSize: 1280, vocabSize: 2540 };

async function main(): Promise<void> {
  const random = new Random(1);
  const decoder = new AttentionGruDecoder({ ...attentionGruDefaults, vocabSize: size.vocabSize, featureSize: size.featureSize }, random);
  decoder.train();
  const parameters = decoder.trainableParameters();
  const adam = new Adam(parameters, { learningRate: 1e-3 });
  const ids = () => tf.randomUniform([size.batch, size.words], 1, size.vocabSize, 'int32') as Captioning.Tensor2D;
  const batch = { features: tf.randomUniform([size.batch, size.positions, size.featureSize]), inputIds: ids(), labels: ids() };
  const step = () => {
    const start = performance.now();
    const { value, gradients } = valueAndGradients(() => decoder.loss(batch), parameters.map((p) => p.tensor));
    adam.step(gradients);
    value.dataSync();
    value.dispose();
    return performance.now() - start;
  };

  const started = await Peer.start('attention_gru.py', [JSON.stringify(size)]);
  if (started) console.log(started.hello);
  const ours: number[] = [], theirs: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const mine = Array.from({ length: steps }, step);
    const other = started ? await started.peer.ask<number[]>(String(steps)) : [];
    if (round >= 0) { ours.push(...mine); theirs.push(...other); }
  }
  started?.peer.stop();
  const spread = (times: number[]) => `median ${median(times).toFixed(0)} ms, ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)}`;
  console.log(`captioning  ${spread(ours)}`);
  if (theirs.length) console.log(`PyTorch     ${spread(theirs)}\nratio       ${(median(ours) / median(theirs)).toFixed(2)}`);
}

void main();
