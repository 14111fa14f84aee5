/** What runs leave on the disk and read again: checkpoints of training, history, cached features, journals of sweeps. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { readSweepJournal, SweepJournal } from '../../../lib/experiments/sweep-journal';
import { FeatureCache } from '../../../lib/training/feature-cache';
import { must, type Files, type FuzzTarget } from '../target';

/** With TensorFlow, which the other targets do without: loaded when it is needed. */
const training = () => ({
  ...(require('../../../lib/training') as typeof import('../../../lib/training')),
  ...(require('../../../lib/training/checkpoint') as typeof import('../../../lib/training/checkpoint')),
});

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const lines = (...values: unknown[]) => Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));

const state = { epoch: 1, batch: 0, step: 8, optimizerSteps: 8, learningRate: 0.01, random: [1, 2, 3, 4], lossSum: 0, lossCount: 0,
  best: { epoch: 1, value: 0.5 }, epochsWithoutImprovement: 0, finished: false, config: '{"seed":1}' };
const settings = { shard: '1/1', images: 2, digest: 'd', models: ['SmolVLM', 'Custom'], levels: [0, 50] };
const entry = (model: string, image: number) => ({ model, image, file: `${image}.jpg`, original: 'A dog.', captions: ['a dog', ''] });

async function openCache(folder: string): Promise<FeatureCache> {
  async function* compute(from: number): AsyncGenerator<Float32Array> { for (let row = from; row < 2; row++) yield Float32Array.of(row, row,
    row); }
  return FeatureCache.open({ folder, name: 'features', fingerprint: 1, shape: [3], ids: ['a', 'b'], compute });
}

export const runTargets: readonly FuzzTarget[] = [
  {
    name: 'run',
    seeds: () => [{ 'last.json': json({ folder: 'last-8' }), 'last-8/state.json': json(state),
      'history.jsonl': lines({ epoch: 1, trainLoss: 2.5, metrics: { valLoss: 2 }, seconds: 1 }, { epoch: 2, trainLoss: 1.5, metrics: {},
        seconds: 1 }) }],
    read: (folder) => {
      const { findCheckpoint, readHistory, readState } = training();
      const found = findCheckpoint(folder, 'last');
      must(found === undefined || path.dirname(found) === folder, `a checkpoint in ${found}`);
      if (found) readState(found);
      for (const { epoch, trainLoss, metrics } of readHistory(path.join(folder, 'history.jsonl'))) {
        must(Number.isInteger(epoch) && typeof trainLoss === 'number' && typeof metrics === 'object' && metrics !== null,
          `a record of epoch ${epoch}`);
      }
    },
  },
  {
    name: 'journal',
    seeds: () => [{ 'shard-1-of-1.jsonl': lines(settings, entry('SmolVLM', 0), entry('Custom', 0), entry('SmolVLM', 1)) }],
    read: (folder) => {
      const file = path.join(folder, 'shard-1-of-1.jsonl');
      for (const { image, captions } of readSweepJournal(file)?.entries ?? []) must(Number.isInteger(image) && captions.length > 0,
        `an entry of picture ${image}`);
      if (!fs.existsSync(file)) return;
      const journal = SweepJournal.open(file, settings);
      journal.close();
    },
  },
  {
    name: 'features',
    // One whole, and one that was cut off after its first row.
    seeds: async (): Promise<Files[]> => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fuzz-seed-'));
      try {
        (await openCache(folder)).close();
        const whole = Object.fromEntries(fs.readdirSync(folder).map((name) => [name, fs.readFileSync(path.join(folder, name))]));
        const partial = Object.entries(whole).filter(([name]) => name.endsWith('.f32')).map(([name, bytes]) => [name.replace('f32',
          'partial'), bytes.subarray(0, 15)]);
        return [whole, Object.fromEntries(partial) as Files];
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    },
    read: async (folder) => {
      const cache = await openCache(folder);
      try { must(cache.read(['b', 'a']).length === 6, 'rows of another size'); } finally { cache.close(); }
    },
  },
];
