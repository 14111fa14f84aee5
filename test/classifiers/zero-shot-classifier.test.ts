import assert from 'node:assert/strict';
import { fillPrompt, ZeroShotClassifier } from '../../lib/classifiers';
import { tensorCount } from '../../lib/engine';
import type { ClipEmbedder, Embeddings } from '../../lib/models';
import { closeTo } from '../close-to';
import { tinyClip, tinyClipPictures } from '../tiny-clip';
import expected from '../fixtures/metrics/clip-score.json';

const { captions: classes, prompts, logitsPerImage, ensembleLogits } = expected;

describe('ZeroShotClassifier', () => {
  let clip: ClipEmbedder, count: number, pictures: Embeddings;
  before(async () => {
    count = tensorCount();
    clip = tinyClip();
    pictures = await clip.images(tinyClipPictures);
  });
  after(() => {
    clip.dispose();
    assert.equal(tensorCount(), count);
  });

  /** A classifier, and the batches of texts that have gone through its text tower. */
  function counting(names: readonly string[] = classes): { classifier: ZeroShotClassifier; batches: string[][] } {
    const batches: string[][] = [];
    const texts: ClipEmbedder['texts'] = (list, options) => { batches.push([...list]); return clip.texts(list, options); };
    return { classifier: new ZeroShotClassifier(Object.create(clip, { texts: { value: texts } }) as ClipEmbedder, names), batches };
  }

  it('gives transformers\' logits_per_image, for each prompt and for both as an ensemble', async () => {
    const before = tensorCount(), { classifier } = counting();
    for (const [list, logits] of [[prompts[0], logitsPerImage[0]], [[prompts[1]], logitsPerImage[1]], [prompts, ensembleLogits]] as const) {
      const predictions = await classifier.predict(pictures, list);
      closeTo(predictions.flatMap((one) => one.logits), logits.flat(), 1e-4, String(list));
      assert.deepEqual(predictions.map(({ label }) => label), logits.map((row) => row.indexOf(Math.max(...row))));
      for (const { probabilities, logits: row } of predictions) {
        const powers = row.map(Math.exp), sum = powers.reduce((a, b) => a + b);
        closeTo(probabilities, powers.map((power) => power / sum), 1e-6, 'softmax');
      }
    }
    assert.equal(tensorCount(), before);
  });

  it('embeds each prompt\'s texts once, whatever is asked with them', async () => {
    const { classifier, batches } = counting(['cat', 'dog']);
    await classifier.predict(pictures, prompts[0]);
    await classifier.predict(pictures, prompts[0]);
    await classifier.predict(pictures, prompts);
    await classifier.predict(pictures, [...prompts].reverse());
    assert.deepEqual(batches, [['A photo depicts cat', 'A photo depicts dog'], ['No cat, no score.', 'No dog, no score.']]);
    assert.equal(classifier.promptsEmbedded, 2);
  });

  it('an ensemble has weights of length 1; of one prompt twice it is that prompt', async () => {
    const { classifier } = counting(), { values, size } = await classifier.classEmbeddings(prompts);
    for (let row = 0; row < classes.length; row++) closeTo([Math.hypot(...values.subarray(row * size, (row + 1) * size))], [1], 1e-6);
    const [twice, once] = [await classifier.classEmbeddings([prompts[0], prompts[0]]), await classifier.classEmbeddings(prompts[0])];
    closeTo(twice.values, once.values, 1e-6);
  });

  it('names the likeliest classes first', () => {
    const { classifier } = counting(['a', 'b', 'c']);
    const prediction = { label: 2, probabilities: [0.2, 0.2, 0.6], logits: [0, 0, 1.1] };
    const one = (label: number, probability: number) => ({ label, name: 'abc'[label], probability });
    const [c, a, b] = [one(2, 0.6), one(0, 0.2), one(1, 0.2)];
    assert.deepEqual(classifier.top(prediction, 2), [c, a]);
    assert.deepEqual(classifier.top(prediction), [c, a, b]);
  });

  it('says what is missing', async () => {
    const { classifier, batches } = counting();
    await assert.rejects(classifier.predict(pictures, 'a {}'), /"a \{\}" has no place for the class: write \{object\}/);
    await assert.rejects(classifier.predict(pictures, []), /There is no prompt/);
    const strange = { values: new Float32Array(6), count: 2, size: 3 };
    await assert.rejects(classifier.predict(strange, prompts[0]), /have 3 numbers, the texts' 10/);
    await assert.rejects(classifier.predict(pictures, '{object}', { signal: AbortSignal.abort(new Error('stopped')) }), /stopped/);
    assert.throws(() => new ZeroShotClassifier(clip, []), /There are no classes/);
    assert.deepEqual(batches.length, 2);
  });
});

describe('fillPrompt', () => {
  it('puts the name, as it is, into every place', () => {
    assert.equal(fillPrompt('{object}? A {object}!', '$& {object}s'), '$& {object}s? A $& {object}s!');
  });
});
