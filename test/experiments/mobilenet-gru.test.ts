import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FeatureCaptioner } from '../../lib/captioners';
import { CaptionDataset } from '../../lib/datasets';
import { Random, tensorCount } from '../../lib/engine';
import {
  buildCaptioner, captionRecords, historyRows, mobileNetGru, profile, score, trainCaptioner, type TrainingSettings,
} from '../../lib/experiments';
import { keptEpochs } from '../../lib/training';
import { closeTo } from '../close-to';
import { readEventFiles } from '../training/event-files';
import { encodedScenes, fewScenes } from './few-scenes';


describe('report 003 on a part of Scenes', function suite() {
  this.timeout(120_000);
  const config = { ...mobileNetGru.small, decoder: { ...mobileNetGru.small.decoder, embedSize: 24, hiddenSize: 32 }, training: { ...mobileNetGru.small.training, epochs: 3, learningRate: 5e-3 } };
  const dataset = fewScenes(48, 8);
  const encoded = encodedScenes(config, dataset), { folder } = encoded;

  const trained = async (seed = 1) => {
    const { encoder, features } = encoded;
    const random = new Random(seed);
    const captioner = buildCaptioner(config, dataset, encoder, random);
    const run = await trainCaptioner({ captioner, dataset, features, settings: { ...config.training, generateEvery: 2 }, random });
    assert.equal(run.graphObstacle, undefined);
    return { captioner, run };
  };

  it('learns, validates with loss, BLEU and CIDEr, and scores its captions', async () => {
    const { features } = encoded;
    const { captioner, run } = await trained();
    assert.ok(run.history[2].trainLoss < run.history[0].trainLoss, JSON.stringify(run.history));
    const generated = ['Bleu_1', 'Bleu_4', 'ROUGE_L', 'CIDEr'], all = ['valLoss', ...generated];
    assert.deepEqual(run.history.map(({ metrics }) => Object.keys(metrics)), [['valLoss'], all, all]);
    const rows = historyRows(run.history);
    for (const row of rows) assert.deepEqual(Object.keys(row), ['epoch', 'trainLoss', ...all, 'seconds']);
    assert.deepEqual([rows[0].CIDEr, rows[2].CIDEr], [undefined, run.history[2].metrics.CIDEr]);
    const test = dataset.split('test');
    const { corpus, images } = score(test, captionRecords(captioner, test, features, { numBeams: 3 }));
    assert.ok(corpus.Bleu_1 > 0 && corpus.Bleu_1 < 1);
    assert.equal(Object.keys(images).length, 8);
    captioner.decoder.dispose();
  });

  it('is the same for the same seed: curves and captions', async () => {
    const { features } = encoded;
    const [a, b] = [await trained(), await trained()];
    const curves = ({ run }: typeof a) => run.history.map(({ trainLoss, metrics }) => [trainLoss, metrics]);
    assert.deepEqual(curves(a), curves(b));
    const captions = ({ captioner }: typeof a) => captionRecords(captioner, dataset.split('test'), features).map(({ text }) => text);
    assert.deepEqual(captions(a), captions(b));
    a.captioner.decoder.dispose();
    b.captioner.decoder.dispose();
  });

  it('trains by the settings: schedule, one caption a picture, clipping, patience, kept epochs, events', async () => {
    const { encoder, features } = encoded;
    const random = new Random(1), captioner = buildCaptioner(config, dataset, encoder, random), events = path.join(folder, 'events');
    const settings: TrainingSettings = {
      ...config.training, learningRate: 1e-9, weightDecay: 0.01, schedule: { shape: 'cosine', warmupSteps: 2 }, maxGradNorm: 1,
      captionsPerEpoch: 'one', patience: 1, keepEvery: 2,
    };
    const run = path.join(folder, 'run');
    const { history } = await trainCaptioner({ captioner, dataset, features, settings, random, folder: run, tensorBoard: events });
    assert.equal(history.length, 2, 'at such a rate nothing gets better');
    assert.ok(history.every(({ metrics }) => 'CIDEr' in metrics), 'captions every epoch unless told otherwise');
    assert.deepEqual(keptEpochs(run), [2]);
    const { scalars } = readEventFiles(events), rates = scalars['train/learning_rate'].map(([, rate]) => rate / 1e-9);
    closeTo(rates, [0.5, 1, 1, (1 + Math.cos(Math.PI / 4)) / 2], 1e-6); // 48 pictures in batches of 32, six steps in three epochs
    assert.equal(scalars['train/gradient_norm'].length, 4);
    captioner.decoder.dispose();
  });

  it('captions pictures as it captions their cached features, with one attention map a word', async () => {
    const { features } = encoded;
    const { captioner } = await trained();
    const test = dataset.split('test'), before = tensorCount();
    const fromFiles = await captioner.caption(test.images(), { numBeams: 2, batchSize: 3 }), fromCache = captionRecords(captioner, test, features, { numBeams: 2 });
    assert.deepEqual(fromFiles.map(({ text }) => text), fromCache.map(({ text }) => text));
    closeTo(fromFiles.map(({ score }) => score), fromCache.map(({ score }) => score), 1e-4);
    for (const { words, tokens, text, attention } of fromFiles) {
      assert.equal(attention!.maps.length, tokens.length);
      assert.equal(words.filter((word) => word !== '<end>').join(' '), text);
      for (const map of attention!.maps) closeTo([map.reduce((a, b) => a + b, 0), map.length], [1, attention!.grid[0] * attention!.grid[1]], 1e-5);
    }
    assert.equal(tensorCount(), before);
    captioner.decoder.dispose();
  });

  it('saves a folder that captions alike after loading', async () => {
    const { captioner } = await trained();
    const saved = path.join(folder, 'captioner'), picture = dataset.records[0].image;
    captioner.save(saved);
    captioner.save(saved); // a second save replaces the first
    const loaded = FeatureCaptioner.load(saved);
    const [a, b] = [await captioner.caption([picture], { numBeams: 3 }), await loaded.caption([picture], { numBeams: 3 })];
    assert.deepEqual(b, a);
    fs.writeFileSync(path.join(saved, 'config.json'), '{"model_type":"attention_gru_captioner"}');
    assert.throws(() => FeatureCaptioner.load(saved), /config\.json: vocab_size/);
    assert.throws(() => FeatureCaptioner.load(path.join(folder, 'nowhere')), /cannot be read/);
    captioner.decoder.dispose();
    loaded.dispose();
  });

  it('refuses parts that do not fit together', () => {
    const { encoder } = encoded;
    const other = buildCaptioner(config, new CaptionDataset('other', dataset.records.slice(0, 5)), encoder, new Random(1));
    const captioner = buildCaptioner(config, dataset, encoder, new Random(1));
    assert.throws(() => new FeatureCaptioner(encoder, captioner.decoder, other.vocabulary), /vocabulary has \d+ words, the decoder \d+/);
    other.decoder.dispose();
    captioner.decoder.dispose();
  });
});

describe('profile', () => {
  it('is small unless PROFILE says full; anything else is an error', () => {
    assert.equal(profile(''), 'small');
    assert.equal(profile('full'), 'full');
    assert.throws(() => profile('large'), /"large": use small or full/);
  });

  it('has the report\'s settings in full', () => {
    const { decoder, training } = mobileNetGru.full;
    assert.deepEqual(decoder, { embedSize: 256, hiddenSize: 512, dropout: 0.5, attentionFrom: 'hiddenState' });
    assert.deepEqual([training.epochs, training.batchSize, training.learningRate, training.maxWords], [10, 32, 1e-3, 20]);
  });
});
