import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { PretrainedCaptioner } from '../../lib/captioners';
import { tensorCount } from '../../lib/engine';
import { partA, searchVitGpt2 } from '../../lib/experiments';
import type { EpochRecord } from '../../lib/training';
import { findCheckpoint, readState } from '../../lib/training/checkpoint';
import { readEventFiles } from '../training/event-files';
import { fewScenes } from './few-scenes';
import { KILLED_AT, run } from './killed-vit-gpt2';


describe('report 000, part A, on a part of Scenes', function suite() {
  this.timeout(180_000);
  const dataset = fewScenes(48, 8), config = { ...partA.small.custom, learningRates: [1e-7, 3e-4], searchEpochs: 1, epochs: 6, batchSize: 8, warmupSteps: 2, patience: 6 };
  let folder: string;
  before(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'vit-gpt2-')); });
  after(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  it('trains at each learning rate from the same start, keeps the best, captions, and is read back the same', async () => {
    const before = tensorCount();
    const tried: [number, number][] = [], events = path.join(folder, 'events');
    const onRun = (rate: number, epochs: number) => tried.push([rate, epochs]);
    const { runs, best, captioner, history } = await searchVitGpt2({ config, dataset, folder, tensorBoard: events, onRun });
    assert.deepEqual(tried, [[1e-7, 1], [3e-4, 1], [3e-4, 6]]);
    assert.deepEqual(runs.map(({ history }) => history.length), [1, 1]);
    assert.equal(best.learningRate, 3e-4);
    const metrics = (records: typeof history) => records.map((record) => Object.keys(record.metrics).join());
    assert.deepEqual(runs.map(({ history }) => metrics(history)), [['valLoss'], ['valLoss']], 'a search captions nothing');
    assert.deepEqual(metrics(history), [...new Array<string>(5).fill('valLoss'), 'valLoss,Bleu_4,CIDEr']);
    const { scalars } = readEventFiles(path.join(events, 'best-rate'));
    assert.deepEqual(scalars['epoch/CIDEr'], [[36, Math.fround(history[5].metrics.CIDEr)]]); // 48 pictures in batches of 8, six epochs
    const searched = Object.keys(readEventFiles(path.join(events, 'lr-1e-7')).scalars);
    assert.deepEqual(searched.filter((tag) => tag.startsWith('epoch/')), ['epoch/trainLoss', 'epoch/valLoss']);
    // 48 pictures teach little of others, but they are learnt themselves.
    const learnt = history.map(({ trainLoss }) => trainLoss), unseen = history.map(({ metrics }) => metrics.valLoss);
    assert.ok(learnt[5] < learnt[0] - 0.1, `training losses ${learnt}`);
    assert.ok(Math.min(...unseen) < runs[0].value!, `validation losses ${unseen}, before training ${runs[0].value}`);
    const pictures = dataset.split('test').records.slice(0, 3).map(({ image }) => image);
    const captions = await captioner.caption(pictures, { numBeams: 2, outputAttentions: true });
    for (const { text, tokens, words, attention } of captions) {
      assert.match(text, /^[A-Z].*\.$/);
      assert.equal(words.length, tokens.length);
      assert.deepEqual(attention!.grid, [8, 8]);
      assert.equal(attention!.maps.length, tokens.length);
      assert.ok(attention!.maps.every((map) => map.length === 64 && map.reduce((a, b) => a + b) < 1.0001));
      assert.deepEqual(attention!.heads!.shape.slice(2), [65]);
    }
    const saved = path.join(folder, 'captioner');
    captioner.save(saved);
    const loaded = PretrainedCaptioner.load(saved, { generation: { maxNewTokens: config.maxTokens } });
    assert.deepEqual(await loaded.caption(pictures, { numBeams: 2 }), captions.map(({ attention: _, ...rest }) => rest));
    loaded.dispose();
    captioner.dispose();
    assert.equal(tensorCount(), before);
    // A search that has ended is loaded, not repeated.
    const again = await searchVitGpt2({ config, dataset, folder, onStep: () => assert.fail('nothing is trained twice') });
    assert.deepEqual(again.runs.map(({ history }) => history), runs.map(({ history }) => history));
    again.captioner.dispose();
  });
});

describe('a training of ViT and GPT-2 that is killed', function suite() {
  this.timeout(120_000);
  let work: string;
  before(() => { work = fs.mkdtempSync(path.join(os.tmpdir(), 'killed-vit-gpt2-')); });
  after(() => { fs.rmSync(work, { recursive: true, force: true }); });

  it('in mid-epoch between two checkpoints, and resumed, ends with the bits of an uninterrupted one', async () => {
    const folder = path.join(work, 'run'), whole = await run(work);
    const { signal } = spawnSync(process.execPath, ['-r', 'tsx/cjs', path.join(__dirname, 'killed-vit-gpt2.ts'), work, folder]);
    assert.equal(signal, 'SIGKILL');
    const { step, batch } = readState(findCheckpoint(path.join(folder, 'lr-3e-3'), 'last')!);
    assert.ok(step < KILLED_AT && batch > 0, `the last checkpoint is of step ${step}, batch ${batch}`);
    const steps: number[] = [], resumed = await run(work, { folder, onStep: (progress) => steps.push(progress.step) });
    assert.equal(steps[0], step + 1);
    assert.deepEqual(resumed, whole);
    const written = fs.readFileSync(path.join(folder, 'lr-3e-3', 'history.jsonl'), 'utf8').trim().split('\n');
    const records = written.map((line) => JSON.parse(line) as EpochRecord);
    assert.deepEqual(records.map(({ epoch, metrics }) => [epoch, 'CIDEr' in metrics]), [[1, false], [2, true], [3, true]]);
  });
});
