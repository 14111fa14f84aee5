import assert from 'node:assert/strict';
import { Random, tensorCount } from '../../lib/engine';
import { buildShowAttendTell, captionRecords, showAttendTell, trainCaptioner } from '../../lib/experiments';
import { wordMaps } from '../../lib/explain';
import { encodedScenes, fewScenes } from './few-scenes';

const dataset = fewScenes(32, 6), test = dataset.split('test');

describe('report 002, part I, on a part of Scenes', function suite() {
  this.timeout(120_000);
  const { small } = showAttendTell;
  const config = {
    ...small, decoder: { ...small.decoder, embedSize: 16, hiddenSize: 24, attentionSize: 12 },
    training: { ...small.training, epochs: 3, learningRate: 5e-3 },
  };
  const encoded = encodedScenes(config, dataset);

  it('learns, with loss and top-5 accuracy of training and validation in each epoch, and looks somewhere for each word', async () => {
    const { encoder, features } = encoded;
    const before = tensorCount(), random = new Random(1), captioner = buildShowAttendTell(config, dataset, encoder, random);
    const { history, graphObstacle } = await trainCaptioner({ captioner, dataset, features, settings: config.training, random });
    assert.equal(graphObstacle, undefined);
    assert.deepEqual(Object.keys(history[0].metrics), ['valLoss', 'trainTop5', 'valTop5', 'Bleu_1', 'Bleu_4', 'ROUGE_L', 'CIDEr']);
    assert.ok(history[2].trainLoss < history[0].trainLoss, JSON.stringify(history));
    assert.ok(history[2].metrics.trainTop5 > history[0].metrics.trainTop5, JSON.stringify(history));
    for (const { metrics } of history) for (const top of [metrics.trainTop5, metrics.valTop5]) assert.ok(top > 0 && top < 1, `${top}`);
    const [{ words, maps, grid }] = captionRecords(captioner, test, features).map(wordMaps);
    assert.deepEqual([maps.length, maps[0].length, grid], [words.length, 25, [5, 5]]);
    captioner.decoder.dispose();
    assert.equal(tensorCount(), before);
  });
});

describe('showAttendTell', () => {
  it('has the sizes of the report\'s captioner in full', () => {
    const { decoder, training, encoder, blip } = showAttendTell.full;
    assert.deepEqual([decoder.hiddenSize, decoder.attentionPenalty, training.epochs], [512, 1, 10]);
    assert.deepEqual([encoder.checkpoint, blip.checkpoint], ['resnet101', 'blip-base']);
  });
});
