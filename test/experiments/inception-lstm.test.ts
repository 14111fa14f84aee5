import assert from 'node:assert/strict';
import * as path from 'node:path';
import { Random, tensorCount, tf } from '../../lib/engine';
import { buildInceptionLstm, captionRecords, inceptionLstm, loadEncoder, trainCaptioner } from '../../lib/experiments';
import { featureStatistics, keptEpochs, loadKeptEpoch } from '../../lib/training';
import { encodedScenes, fewScenes } from './few-scenes';

const dataset = fewScenes(24, 4);

describe('report 001, part A, on a part of Scenes', function suite() {
  this.timeout(120_000);
  const { small } = inceptionLstm;
  const config = {
    ...small, vocabularySize: 80, decoder: { ...small.decoder, embedSize: 16, hiddenSize: 24 },
    training: {
      ...small.training, epochs: 3, batchSize: 16, learningRate: 5e-3, captionsPerEpoch: 'all' as const, generateEvery: 2, keepEvery: 2,
    },
  };
  const encoded = encodedScenes(config, dataset), { folder } = encoded;

  it('takes a picture as one vector, the mean over InceptionResNetV2\'s positions', async () => {
    const { features } = encoded;
    assert.deepEqual(features.shape, [1, 307]);
    const whole = loadEncoder({ encoder: { ...config.encoder, pool: false } });
    const { id, image } = dataset.records[0], map = whole.encode(await whole.processor.batch([image]));
    assert.deepEqual(map.shape, [1, 25, 307]);
    const mean = tf.tidy(() => tf.mean(map, 1).dataSync()), cached = features.read([id]);
    for (const [i, value] of mean.entries()) assert.ok(Math.abs(value - cached[i]) < 1e-4, `${i}: ${value}, ${cached[i]}`);
    map.dispose();
    whole.dispose();
  });

  it('learns, scores its captions every second epoch and keeps that epoch\'s weights', async () => {
    const { encoder, features } = encoded;
    const before = tensorCount(), random = new Random(1), captioner = buildInceptionLstm(config, dataset, encoder, features, random);
    assert.equal(captioner.vocabulary.size, 80);
    const { mean, std } = featureStatistics(features, dataset.split('train').records.map(({ id }) => id));
    assert.deepEqual([captioner.decoder.feature_mean!.save(), captioner.decoder.feature_std!.save()], [mean, std]);
    const run = path.join(folder, 'run');
    const { history, graphObstacle } = await trainCaptioner({ captioner, dataset, features, settings: config.training, random, folder: run });
    assert.equal(graphObstacle, undefined);
    const scores = ['Bleu_1', 'Bleu_4', 'ROUGE_L', 'CIDEr'];
    assert.deepEqual(history.map(({ metrics }) => Object.keys(metrics)), [['valLoss'], ['valLoss', ...scores], ['valLoss', ...scores]]);
    assert.ok(history[2].trainLoss < history[0].trainLoss, JSON.stringify(history));
    assert.deepEqual(keptEpochs(run), [2]);
    const fresh = buildInceptionLstm(config, dataset, encoder, features, new Random(2));
    loadKeptEpoch(run, 2, fresh.decoder);
    assert.equal(captionRecords(fresh, dataset.split('test'), features).length, 4);
    for (const { decoder } of [captioner, fresh]) decoder.dispose();
    assert.equal(tensorCount(), before);
  });
});

describe('inceptionLstm', () => {
  it('has the report\'s sizes in full', () => {
    const { decoder, training, encoder, vocabularySize } = inceptionLstm.full;
    assert.deepEqual([decoder.embedSize, decoder.hiddenSize, decoder.numLayers, vocabularySize], [1024, 1024, 3, 8000]);
    assert.deepEqual([training.epochs, training.keepEvery, training.batchSize, training.learningRate], [300, 100, 64, 1e-3]);
    assert.equal(encoder.checkpoint, 'inception-resnet-v2');
  });
});
