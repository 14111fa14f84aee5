import assert from 'node:assert/strict';
import type { ImageEncoder } from '../../lib/captioners';
import { CaptionDataset, loadScenes } from '../../lib/datasets';
import { Random, tensorCount } from '../../lib/engine';
import { buildShowAttendTell, loadEncoder, noImageControl, showAttendTell } from '../../lib/experiments';
import type { PictureFeatures } from '../../lib/training';

describe('noImageControl', function suite() {
  this.timeout(120_000);
  const { small } = showAttendTell;
  const config = {
    ...small, decoder: { ...small.decoder, embedSize: 16, hiddenSize: 24, attentionSize: 12 },
    training: { ...small.training, epochs: 3, learningRate: 5e-3, topAccuracy: undefined },
  };
  const scenes = loadScenes();
  const dataset = new CaptionDataset('few', (['train', 'val', 'test'] as const).flatMap((split) => scenes.split(split).records.slice(0, 12)));
  let encoder: ImageEncoder;
  before(() => { encoder = loadEncoder(config); });
  after(() => encoder.dispose());

  it('trains on features that are the same for all pictures, and says the same of all', async () => {
    const random = new Random(1), asked = new Set<string>(), shape = [encoder.positions, encoder.featureSize];
    const features: PictureFeatures = {
      shape,
      read: (ids) => {
        for (const id of ids) asked.add(id);
        return Float32Array.from({ length: ids.length * shape[0] * shape[1] }, () => random.uniform());
      },
    };
    const before = tensorCount(), captioner = buildShowAttendTell(config, dataset, encoder, random);
    const settings = config.training, generation = { numBeams: 2 };
    const { run, features: shown, captions, evaluation } = await noImageControl({ captioner, dataset, features, settings, random, generation });
    assert.deepEqual([...asked], dataset.split('train').records.map(({ id }) => id), 'the training pictures alone are looked at');
    assert.deepEqual(shown.read(['scene-1101']), shown.read(['scene-0001']));
    assert.ok(run.history[2].trainLoss < run.history[0].trainLoss, JSON.stringify(run.history));
    assert.equal(captions.length, 12);
    assert.equal(new Set(captions.map(({ text }) => text)).size, 1);
    assert.ok(evaluation.corpus.Bleu_1 > 0, JSON.stringify(evaluation.corpus));
    captioner.decoder.dispose();
    assert.equal(tensorCount(), before);
  });
});
