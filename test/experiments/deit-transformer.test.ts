import assert from 'node:assert/strict';
import * as path from 'node:path';
import { Random, tensorCount } from '../../lib/engine';
import {
  beamTable, buildDeitTransformer, captionRecords, deitTransformer, reportedDeitTransformer, score, trainCaptioner, transformerSweep,
  withChanges, type TransformerSweepRow,
} from '../../lib/experiments';
import type { ClipScorer } from '../../lib/metrics';
import { encodedScenes, fewScenes } from './few-scenes';

const dataset = fewScenes(32, 6), test = dataset.split('test');
const { small, full } = deitTransformer;
const config = {
  ...small, decoder: { ...small.decoder, hiddenSize: 24, numHeads: 2, feedForwardSize: 32 },
  training: {
    ...small.training, epochs: 2, learningRate: 5e-3, captionsPerEpoch: 'all' as const,
    schedule: { shape: 'cosine' as const, warmupSteps: 2 },
  },
};

/** The share of captions with a red thing: nothing of CLIP, but it depends on the captions alone. */
const redness: ClipScorer = async (captions) => {
  const images = captions.map((text) => ({ CLIPScore: Number(text.includes('red')) }));
  return { CLIPScore: images.reduce((sum, { CLIPScore }) => sum + CLIPScore, 0) / images.length, images };
};

describe('report 004, problem 2, on a part of Scenes', function suite() {
  this.timeout(180_000);
  const encoded = encodedScenes(config, dataset);

  it('learns in bfloat16 what it learns in float32, both as graphs', async () => {
    const { encoder, features } = encoded, before = tensorCount(), losses: number[] = [];
    for (const precision of ['float32', 'bfloat16'] as const) {
      const random = new Random(1), captioner = buildDeitTransformer(config, dataset, encoder, random);
      const settings = { ...config.training, precision };
      const { history, graphObstacle } = await trainCaptioner({ captioner, dataset, features, settings, random });
      assert.equal(graphObstacle, undefined);
      assert.ok(history[1].trainLoss < 0.9 * history[0].trainLoss, JSON.stringify(history));
      losses.push(history[1].metrics.valLoss);
      captioner.decoder.dispose();
    }
    assert.notEqual(losses[0], losses[1]);
    assert.ok(Math.abs(losses[1] / losses[0] - 1) < 0.02, `validation losses ${losses}`);
    assert.equal(tensorCount(), before);
  });

  it('sweeps: what was trained is loaded, what was stopped goes on', async () => {
    const before = tensorCount(), folder = path.join(encoded.folder, 'sweep');
    const changes = [{ training: { epochs: 1 } }, { encoder: { checkpoint: 'vit-scenes' }, decoder: { numLayers: 1 } }];
    const stop = new AbortController(), steps: number[] = [], common = { changes, clip: redness, folder, features: encoded.folder };
    const onStep = () => { steps.push(1); };
    const first = await transformerSweep(config, dataset, { ...common, signal: stop.signal, onStep, onRow: () => { stop.abort(); } });
    assert.deepEqual([first.length, steps.length], [1, 5]);
    const reported: TransformerSweepRow[] = [];
    const rows = await transformerSweep(config, dataset, { ...common, onStep, onRow: (row) => { reported.push(row); } });
    assert.equal(steps.length, 5 + 10, 'the first captioner was loaded');
    assert.deepEqual(reported, rows);
    assert.deepEqual(rows[0], first[0]);
    assert.deepEqual(rows.map((row) => [row.encoder, row.numLayers, row.numHeads, row.batchSize, row.precision]),
      [['deit3-scenes', 2, 2, 32, 'float32'], ['vit-scenes', 1, 2, 32, 'float32']]);
    assert.ok(rows[0].parameters > rows[1].parameters, `${rows[0].parameters}, ${rows[1].parameters}`);
    assert.equal(tensorCount(), before);
  });

  it('scores captions of each size of beam, with their time and memory', async () => {
    const { encoder, features } = encoded;
    const before = tensorCount(), captioner = buildDeitTransformer(config, dataset, encoder, new Random(3));
    const counted: [number, number][] = [];
    const rows = await beamTable(captioner, test, features, {
      sizes: [1, 4, 40], batchSize: 4, clip: redness, onProgress: (...what) => { counted.push(what); },
    });
    assert.deepEqual(counted, [[1, 4], [1, 2], [4, 4], [4, 2], [40, 4], [40, 2]]);
    for (const { beams, captions, CIDEr, CLIPScore, peakBytes, seconds, processorSeconds } of rows) {
      const expected = captionRecords(captioner, test, features, { numBeams: beams });
      assert.deepEqual(captions.map(({ text }) => text), expected.map(({ text }) => text));
      assert.equal(CIDEr, score(test, expected).corpus.CIDEr);
      assert.equal(CLIPScore, (await redness(expected.map(({ text }) => text))).CLIPScore);
      assert.ok(seconds > 0 && processorSeconds > 0, `${seconds} s, ${processorSeconds} s of the processor`);
      // Keys and values of all beams and words, before and after the last step.
      const words = Math.max(...captions.map(({ tokens }) => tokens.length)), row = 2 * 2 * 24 * 4;
      assert.ok(peakBytes > 4 * beams * row * (2 * words - 1) * 0.5, `${peakBytes} bytes for ${beams} beams of ${words} words`);
    }
    assert.ok(rows[2].peakBytes > 5 * rows[1].peakBytes, JSON.stringify(rows.map((one) => one.peakBytes)));
    captioner.decoder.dispose();
    assert.equal(tensorCount(), before);
    await assert.rejects(beamTable(captioner, test, features, {
      sizes: [1], batchSize: 4, clip: redness, signal: AbortSignal.abort(new Error('enough')),
    }), /enough/);
  });
});

describe('deitTransformer', () => {
  it('has the report\'s settings in full', () => {
    const { decoder, training, encoder, numBeams } = full, { numLayers, numHeads, hiddenSize, activation, dropout } = decoder;
    assert.deepEqual([numLayers, numHeads, hiddenSize, activation, dropout], [4, 8, 1024, 'gelu', 0.1]);
    assert.deepEqual([training.epochs, training.batchSize, training.learningRate, training.precision], [5, 32, 5e-5, 'bfloat16']);
    assert.deepEqual([training.schedule, encoder.checkpoint, numBeams], [{ shape: 'cosine', warmupSteps: 1000 }, 'deit3-large', 3]);
  });

  it('sweeps over the report\'s rows in full', () => {
    const names: Record<string, string> = { 'vit-large-timm': 'vit_large_patch16_224', 'deit3-large': 'deit3_large_patch16_224_in21ft1k' };
    const rows = full.sweep.map((changes) => withChanges(full, changes)).map(({ encoder, decoder: { numLayers, numHeads }, training }) =>
      [names[encoder.checkpoint], numLayers, numHeads, training.batchSize]);
    const reported = reportedDeitTransformer.sweep.map((row) => [row.encoder, row.numLayers, row.numHeads, row.batchSize]);
    assert.deepEqual(rows, reported);
    assert.deepEqual(full.beams.sizes, reportedDeitTransformer.beams.map(({ beams }) => beams));
  });
});
