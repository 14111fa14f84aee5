/**
 * Training steps (forward, backward, Adam) of the recurrent decoders at the reports' sizes, here and in PyTorch, with the same weights:
 * report 001 A's LSTM, 003's attention GRU, 002's attention LSTM on grids of 7×7 and 14×14 positions. Features and words are random.
 *
 *   npx tsx bench/recurrent.ts [--rounds 6] [--steps 3] [--decoders lstm,attention-gru,…] [--json FILE] [--source]
 */
import * as path from 'node:path';
import type { CaptionBatch, CaptionDecoder, Random as Source } from '../lib';
import { captioning, inFolder, options, writeTensor } from './harness/library';
import { Peer } from './harness/peer';
import { report, type Row } from './harness/results';
import { trainSideBySide } from './harness/training';

const {
  AttentionGruDecoder, attentionGruDefaults, AttentionLstmDecoder, attentionLstmDefaults, LstmDecoder, lstmDecoderDefaults,
  Random, saveState, tf,
} = captioning;
const values = options({ rounds: '6', steps: '3', decoders: 'lstm,attention-gru,attention-lstm-49,attention-lstm-196' });
const rounds = Number(values.rounds), steps = Number(values.steps);

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
const titles: Record<Name, string> = {
  lstm: 'InceptionResNetV2 features + LSTM of 3 layers', 'attention-gru': 'MobileNetV2 features (7×7) + attention GRU',
  'attention-lstm-49': 'ResNet-101 features (7×7) + attention LSTM 512',
  'attention-lstm-196': 'ResNet-101 features (14×14) + attention LSTM 512',
};

function build(name: Name, random: Source): CaptionDecoder {
  if (name === 'lstm') return new LstmDecoder(sizes[name], random);
  return name === 'attention-gru' ? new AttentionGruDecoder(sizes[name], random) : new AttentionLstmDecoder(sizes[name], random);
}

async function main(folder: string): Promise<void> {
  const names = values.decoders.split(','), rows: Row[] = [];
  const unknown = names.filter((name) => !Object.hasOwn(sizes, name));
  if (unknown.length) throw new Error(`No decoder called ${unknown.join(', ')}: there are ${Object.keys(sizes).join(', ')}.`);
  let description: string | undefined;
  for (const name of names as Name[]) {
    const size = sizes[name], { batch, words, positions, featureSize, vocabSize, weightDecay } = size;
    const random = new Random(1), decoder = build(name, random), weights = path.join(folder, `${name}.safetensors`);
    saveState(decoder, weights);
    const features = tf.randomUniform([batch, positions, featureSize], 0, 1, 'float32', 1), optimizer = { learningRate: 1e-3, weightDecay };
    const stored = writeTensor(path.join(folder, 'features.bin'), features);
    const ids = (seed: number) => tf.randomUniform([batch, words], 1, vocabSize, 'int32', seed) as CaptionBatch['labels'];
    const peer = await Peer.start('recurrent.py', JSON.stringify({ ...size, weights, features: stored, ...optimizer }));
    rows.push(await trainSideBySide<CaptionBatch>({
      work: `train step ${titles[name]}, batch ${batch} × ${words}`, target: 0.6, rounds, steps, peer,
      training: { model: decoder, loss: (inputs) => decoder.loss(inputs), optimizer, random },
      batch: (step) => ({ features: features.clone(), inputIds: ids(2 * step + 1), labels: ids(2 * step + 2) }),
      write: ({ inputIds, labels }) => ({ inputs: inputIds.arraySync(), labels: labels.arraySync() }),
    }));
    description ??= peer?.description;
    peer?.stop();
    features.dispose();
    decoder.dispose();
  }
  report([description], rows, values.json);
}

void inFolder(main);
