import assert from 'node:assert/strict';
import { tensorCount } from '../../lib/engine';
import { clipScore, clipScorer, refClipScore, scoreWithClip } from '../../lib/metrics';
import type { ClipEmbedder, Embeddings } from '../../lib/models';
import { closeTo } from '../close-to';
import { tinyClip, tinyClipPictures as pictures } from '../tiny-clip';
import expected from '../fixtures/metrics/clip-score.json';

const rows = (...vectors: number[][]): Embeddings => ({ values: Float32Array.from(vectors.flat()), count: vectors.length, size: vectors[0].length });

describe('CLIPScore', () => {
  let clip: ClipEmbedder, count: number;
  before(() => {
    count = tensorCount();
    clip = tinyClip();
  });
  after(() => {
    clip.dispose();
    assert.equal(tensorCount(), count);
  });

  it('equals the published formula on transformers\' embeddings', async () => {
    const live = tensorCount();
    const images = await clip.images(pictures, { batchSize: 3 });
    closeTo(images.values, expected.imageEmbeds, 1e-5, 'pictures');
    closeTo((await clip.texts(expected.captions.map((text) => `A photo depicts ${text}`), { batchSize: 3 })).values, expected.textEmbeds, 1e-5, 'captions');
    const scores = await scoreWithClip(clip, pictures, expected.captions, { references: expected.references });
    closeTo(scores.images.map(({ CLIPScore }) => CLIPScore), expected.CLIPScore, 1e-5);
    closeTo(scores.images.map(({ RefCLIPScore }) => RefCLIPScore!), expected.RefCLIPScore, 1e-5);
    closeTo([scores.CLIPScore], [expected.CLIPScore.reduce((a, b) => a + b) / 4], 1e-5);
    const scorer = await clipScorer(clip, pictures, { references: expected.references });
    assert.deepEqual(await scorer(expected.captions), scores);
    const turned = [...expected.captions.slice(1), expected.captions[0]];
    assert.deepEqual(await scorer(turned), await scoreWithClip(clip, pictures, turned, { references: expected.references }));
    const known = await scoreWithClip(clip, pictures, expected.captions, { imageEmbeddings: images, references: expected.references });
    closeTo(known.images.map(({ RefCLIPScore }) => RefCLIPScore!), expected.RefCLIPScore, 1e-5, 'with embeddings that were known');
    assert.equal(tensorCount(), live);
  });

  it('changes with the prompt, and has no RefCLIPScore without references', async () => {
    const [usual, other] = [await scoreWithClip(clip, pictures, expected.captions), await scoreWithClip(clip, pictures, expected.captions, { prefix: '' })];
    assert.notDeepEqual(usual.images, other.images);
    assert.equal(usual.RefCLIPScore, undefined);
  });

  it('is 0 below a right angle, the weight for the same direction', () => {
    assert.deepEqual(clipScore(rows([1, 0], [0, 1], [1, 0]), rows([1, 0], [0, -1], [0, 1])), [2.5, 0, 0]);
    assert.deepEqual(refClipScore([2.5, 2.5, 0], rows([1, 0], [1, 0], [1, 0]), rows([0, 1], [1, 0], [-1, 0], [1, 0]), [0, 0, 1, 2]), [2 * 2.5 / 3.5, 0, 0]);
  });

  it('refuses counts that do not fit, and pictures without a reference', async () => {
    assert.throws(() => clipScore(rows([1, 0]), rows([1, 0], [0, 1])), /2 captions for 1 pictures/);
    assert.throws(() => refClipScore([1, 1], rows([1, 0], [1, 0]), rows([1, 0]), [1]), /Picture 0 has no reference/);
    await assert.rejects(scoreWithClip(clip, pictures, expected.captions, { references: [['a']] }), /References of 1 pictures for 4/);
  });
});
