/**
 * Training steps (forward, backward, Adam) of the recurrent decoders at the reports' sizes, here and in PyTorch: report 001 A's LSTM, 002's
 * attention LSTM on grids of 7×7 and 14×14 positions, 003's attention GRU. The sides take turns; medians. Beside the wall's time stands the
 * processor's, which other processes on the machine disturb less.
 *
 *   npx tsx bench/recurrent.ts [--rounds 6] [--steps 3] [--decoders lstm,attention-gru] [--source]
 *
 * --source measures lib/ as it stands, not the compiled library that notebooks use.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type * as Captioning from '../lib';
import { median, Peer } from './peer';

const option = (standard: string) => ({ type: 'string', default: standard }) as const;
const { values } = parseArgs({
  options: {
    rounds: option('6'), steps: option('3'), decoders: option('lstm,attention-gru,attention-lstm-49,attention-lstm-196'),
    source: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds), steps = Number(values.steps);

const {
  Adam, AttentionGruDecoder, attentionGruDefaults, AttentionLstmDecoder, attentionLstmDefaults, LstmDecoder, lstmDecoderDefaults, Random,
  tf, valueAndGradients,
} = require(values.source ? '../lib' : 'captioning') as typeof Captioning;

const attentionLstm = { ...attentionLstmDefaults, kind: 'attention-lstm', batch: 32, words: 20, featureSize: 2048, vocabSize: 2540, weightDecay: 0 };
/** What both sides build: a decoder's sizes and those of its batch. */
const sizes = {
  lstm: { ...lstmDecoderDefaults, kind: 'lstm', batch: 64, words: 20, positions: 1, featureSize: 1536, vocabSize: 8000, weightDecay: 0.01 },
  'attention-gru': { ...attentionGruDefaults, kind: 'attention-gru', batch: 32, words: 20, positions: 49, featureSize: 1280, vocabSize: 2540, weightDecay: 0 },
  'attention-lstm-49': { ...attentionLstm, positions: 49 },
  'attention-lstm-196': { ...attentionLstm, positions: 196 },
};
type Name = keyof typeof sizes;
type Times = [wall: number, processor: number];

function build(name: Name, random: Captioning.Random): Captioning.CaptionDecoder {
  if (name === 'lstm') return new LstmDecoder(sizes[name], random);
  return name === 'attention-gru' ? new AttentionGruDecoder(sizes[name], random) : new AttentionLstmDecoder(sizes[name], random);
}

/** A function that makes a training step and returns its milliseconds. */
function prepare(name: Name): () => Times {
  const { batch, words, positions, featureSize, vocabSize, weightDecay } = sizes[name];
  const decoder = build(name, new Random(1));
  decoder.train();
  const parameters = decoder.trainableParameters();
  const adam = new Adam(parameters, { learningRate: 1e-3, weightDecay });
  const ids = () => tf.randomUniform([batch, words], 1, vocabSize, 'int32') as Captioning.Tensor2D;
  const inputs = { features: tf.randomUniform([batch, positions, featureSize]), inputIds: ids(), labels: ids() };
  return () => {
    const start = performance.now(), used = process.cpuUsage();
    const { value, gradients } = valueAndGradients(() => decoder.loss(inputs), parameters.map((p) => p.tensor));
    adam.step(gradients);
    value.dataSync();
    value.dispose();
    const { user, system } = process.cpuUsage(used);
    return [performance.now() - start, (user + system) / 1000];
  };
}

async function main(): Promise<void> {
  const names = values.decoders.split(',');
  const unknown = names.filter((name) => !Object.hasOwn(sizes, name));
  if (unknown.length) throw new Error(`No decoder called ${unknown.join(', ')}: there are ${Object.keys(sizes).join(', ')}.`);
  const started = await Peer.start('recurrent.py', [JSON.stringify(sizes)]);
  console.log(`captioning, ${process.env.TF_NUM_INTRAOP_THREADS ?? cpus().length} threads${started ? `; ${started.hello}` : ''}`);
  const rows: Record<string, Record<string, string>> = {};
  for (const name of names as Name[]) {
    const step = prepare(name), ours: Times[] = [], theirs: Times[] = [];
    for (let round = -1; round < rounds; round++) {
      const mine = Array.from({ length: steps }, step);
      const other = started ? await started.peer.ask<Times[]>(`${name} ${steps}`) : [];
      if (round >= 0) { ours.push(...mine); theirs.push(...other); }
    }
    const row: Record<string, string> = rows[name] = {};
    for (const [i, what] of ['wall', 'processor'].entries()) {
      const [mine, other] = [ours, theirs].map((times) => median(times.map((pair) => pair[i])));
      row[`${what}, ms`] = mine.toFixed(0);
      if (started) Object.assign(row, { [`PyTorch's ${what}`]: other.toFixed(0), [`${what} ratio`]: (mine / other).toFixed(2) });
    }
    console.log(name, Object.entries(row).map(([what, value]) => `${what} ${value}`).join(', '));
  }
  started?.peer.stop();
  console.table(rows);
}

void main();
