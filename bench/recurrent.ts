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
  AttentionGruDecoder, attentionGruDefaults, AttentionLstmDecoder, attentionLstmDefaults, LstmDecoder, lstmDecoderDefaults,
  Random, tf, train,
} = require(values.source ? '../lib' : 'captioning') as typeof Captioning;

const attention = { batch: 32, words: 20, vocabSize: 2540, weightDecay: 0 };
const attentionLstm = { ...attentionLstmDefaults, ...attention, kind: 'attention-lstm', featureSize: 2048 };
/** What both sides build: a decoder's sizes and those of its batch. */
const sizes = {
  lstm: { ...lstmDecoderDefaults, kind: 'lstm', batch: 64, words: 20, positions: 1, featureSize: 1536, vocabSize: 8000, weightDecay: 0.01 },
  'attention-gru': { ...attentionGruDefaults, ...attention, kind: 'attention-gru', positions: 49, featureSize: 1280 },
  'attention-lstm-49': { ...attentionLstm, positions: 49 },
  'attention-lstm-196': { ...attentionLstm, positions: 196 },
};
type Name = keyof typeof sizes;
type Times = [wall: number, processor: number];

function build(name: Name, random: Captioning.Random): Captioning.CaptionDecoder {
  if (name === 'lstm') return new LstmDecoder(sizes[name], random);
  return name === 'attention-gru' ? new AttentionGruDecoder(sizes[name], random) : new AttentionLstmDecoder(sizes[name], random);
}

/**
 * Trains a decoder on one batch by the library's own loop and returns what its steps took. After every round it waits for `others`, whose
 * turn it is then; the first round, which makes the graphs, does not count.
 */
async function trainSteps(name: Name, others: () => Promise<void>): Promise<Times[]> {
  const { batch: rows, words, positions, featureSize, vocabSize, weightDecay } = sizes[name], random = new Random(1);
  const decoder = build(name, random), features = tf.randomUniform([rows, positions, featureSize]);
  const ids = () => tf.randomUniform([rows, words], 1, vocabSize, 'int32') as Captioning.Tensor2D;
  const times: Times[] = [], order = new Uint32Array();
  let start = 0, used = process.cpuUsage(), ended = (): void => {}, round = Promise.resolve();
  const batch = async (_: Uint32Array, index: number): Promise<Captioning.CaptionBatch> => {
    if (index % steps === 0) {
      await round;
      round = new Promise((resolve) => { ended = resolve; });
      if (index > 0) await others();
    }
    const next = { features: features.clone(), inputIds: ids(), labels: ids() };
    if (index % steps === 0) [start, used] = [performance.now(), process.cpuUsage()];
    return next;
  };
  const batches = { stepsPerEpoch: (rounds + 1) * steps, order: () => order, batch };
  await train<Captioning.CaptionBatch>({
    model: decoder, loss: (inputs) => decoder.loss(inputs), batches, epochs: 1, random,
    optimizer: { learningRate: 1e-3, weightDecay },
    onStep: ({ step }) => {
      const { user, system } = process.cpuUsage(used);
      if (step > steps) times.push([performance.now() - start, (user + system) / 1000]);
      [start, used] = [performance.now(), process.cpuUsage()];
      if (step % steps === 0) ended();
    },
  });
  await others();
  features.dispose();
  decoder.dispose();
  return times;
}

async function main(): Promise<void> {
  const names = values.decoders.split(',');
  const unknown = names.filter((name) => !Object.hasOwn(sizes, name));
  if (unknown.length) throw new Error(`No decoder called ${unknown.join(', ')}: there are ${Object.keys(sizes).join(', ')}.`);
  const started = await Peer.start('recurrent.py', [JSON.stringify(sizes)]);
  console.log(`captioning, ${process.env.TF_NUM_INTRAOP_THREADS ?? cpus().length} threads${started ? `; ${started.hello}` : ''}`);
  const rows: Record<string, Record<string, string>> = {};
  for (const name of names as Name[]) {
    const theirs: Times[] = [];
    const ours = await trainSteps(name, async () => { theirs.push(...(await started?.peer.ask<Times[]>(`${name} ${steps}`) ?? [])); });
    theirs.splice(0, steps); // warms up
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
