import assert from 'node:assert/strict';
import * as path from 'node:path';
import { Random, tensorCount } from '../../lib/engine';
import {
  buildVitGpt2Prompt, captionRecords, loadEncoder, noImageControl, trainCaptioner, vitGpt2Prompt,
} from '../../lib/experiments';
import { keptEpochs, loadKeptEpoch } from '../../lib/training';
import { encodedScenes, fewScenes } from './few-scenes';

const dataset = fewScenes(16, 3);

describe('report 001, part B, on a part of Scenes', function suite() {
  this.timeout(120_000);
  const config = {
    ...vitGpt2Prompt.small, training: { ...vitGpt2Prompt.small.training, epochs: 3, batchSize: 8, generateEvery: 3, keepEvery: 2 },
  };
  const encoded = encodedScenes(config, dataset), { folder } = encoded;

  it('trains GPT-2 and the cross attention, not the ViT; scores its captions and keeps every second epoch', async () => {
    const { encoder, features } = encoded;
    assert.deepEqual(features.shape, [65, 192]);
    const before = tensorCount(), random = new Random(1), captioner = buildVitGpt2Prompt(config, encoder, random);
    const { model, decoder } = captioner, frozen = model.encoder.parameters().map((parameter) => parameter.tensor);
    assert.deepEqual(model.trainableParameters(), decoder.parameters());
    const run = path.join(folder, 'run');
    const { history } = await trainCaptioner({ captioner, dataset, features, settings: config.training, random, folder: run });
    const scores = ['Bleu_1', 'Bleu_4', 'ROUGE_L', 'CIDEr'];
    assert.deepEqual(history.map(({ metrics }) => Object.keys(metrics)), [['valLoss'], ['valLoss'], ['valLoss', ...scores]]);
    assert.ok(history[2].trainLoss < history[0].trainLoss, JSON.stringify(history));
    assert.ok(model.encoder.parameters().every(({ tensor }, i) => tensor === frozen[i]), 'the ViT is as it was');
    assert.deepEqual(keptEpochs(run), [2]);
    const fresh = buildVitGpt2Prompt(config, encoder, new Random(2));
    loadKeptEpoch(run, 2, fresh.decoder);
    assert.equal(captionRecords(fresh, dataset.split('test'), features, { maxNewTokens: 4 }).length, 3);
    fresh.decoder.dispose();
    decoder.dispose();
    assert.equal(tensorCount(), before);
  });

  it('has a control without pictures by the same call as the others', async () => {
    const { encoder, features } = encoded, before = tensorCount(), random = new Random(1);
    const captioner = buildVitGpt2Prompt(config, encoder, random), settings = { ...config.training, epochs: 1 };
    const { captions } = await noImageControl({ captioner, dataset, features, settings, random, generation: { maxNewTokens: 8 } });
    assert.equal(captions.length, 3);
    assert.equal(new Set(captions.map(({ text }) => text)).size, 1);
    captioner.decoder.dispose();
    assert.equal(tensorCount(), before);
  });
});

describe('vitGpt2Prompt', () => {
  it('has the report\'s settings in full', () => {
    const { encoder, decoder, prompt, training } = vitGpt2Prompt.full;
    assert.deepEqual([encoder.checkpoint, decoder, prompt], ['vit-base', 'gpt2', 'Image Caption: ']);
    assert.deepEqual([training.epochs, training.keepEvery, training.batchSize, training.learningRate], [30, 10, 8, 3e-4]);
  });

  it('asks for a ViT', () => {
    const config = { ...vitGpt2Prompt.small, encoder: { checkpoint: 'mobilenet_v2-scenes' } }, encoder = loadEncoder(config);
    assert.throws(() => buildVitGpt2Prompt(config, encoder, new Random(1)), /mobilenet_v2-scenes holds a MobileNetV2.*: expected a ViT/);
    encoder.dispose();
  });
});
