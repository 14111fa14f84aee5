import assert from 'node:assert/strict';
import { FeatureCaptioner, ImageEncoder, LstmDecoder, lstmDecoderDefaults, TransformerDecoder, transformerDecoderDefaults } from '../../lib/captioners';
import { loadScenes } from '../../lib/datasets';
import { Random, randomUniform, tensorCount, tf, type Tensor } from '../../lib/engine';
import { attentionRollout } from '../../lib/explain';
import { decoderRollout, encoderRollout } from '../../lib/explain/attention-rollout';
import { inProject } from '../../lib/project';
import { WordVocabulary } from '../../lib/tokenizers';
import { closeTo } from '../close-to';

type Matrix = number[][];

const multiply = (a: Matrix, b: Matrix): Matrix => a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
const halves = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((x, j) => 0.5 * (x + b[i][j])));
const unit = (n: number): Matrix => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j)));
/** Rows that sum to 1, below the diagonal alone if causal. */
const attention = (rows: number, columns: number, seed: number, causal = false): Tensor => tf.tidy(() => {
  const drawn = randomUniform([rows, columns], [seed, 7]), mask = tf.linalg.bandPart(tf.ones([rows, columns]) as never, -1, 0);
  const kept = causal ? tf.mul(drawn, mask) : drawn;
  return tf.div(kept, tf.sum(kept, 1, true));
});

describe('attention rollout', () => {
  it('multiplies ½(I + A) over the layers of an encoder', () => {
    const layers = [1, 2, 3].map((seed) => attention(4, 4, seed)), rolled = encoderRollout(layers);
    const expected = layers.reduce<Matrix>((sum, layer) => multiply(halves(unit(4), layer.arraySync() as Matrix), sum), unit(4));
    closeTo(rolled.dataSync(), expected.flat(), 1e-6);
    tf.dispose([layers, rolled] as never);
  });

  it('follows words and picture through a decoder: what a word has from the picture is its own and that of the words it looked at', () => {
    const own = [1, 2].map((seed) => attention(3, 3, seed, true)), cross = [3, 4].map((seed) => attention(3, 5, seed)), rolled = decoderRollout(own, cross);
    // The same by one big matrix over words and memory, whose positions stay as they are.
    let all = unit(8);
    for (const [i, words] of own.entries()) {
      const [s, c] = [words, cross[i]].map((one) => one.arraySync() as Matrix);
      const step = (block: (row: number) => number[]): Matrix => all.map((_, row) => (row < 3 ? block(row) : unit(8)[row]));
      all = multiply(halves(unit(8), step((row) => [...s[row], 0, 0, 0, 0, 0])), all);
      all = multiply(halves(unit(8), step((row) => [0, 0, 0, ...c[row]])), all);
    }
    closeTo(rolled.dataSync(), all.slice(0, 3).flatMap((row) => row.slice(3)), 1e-6);
    tf.dispose([own, cross, rolled] as never);
  });

  it('gives each token of a captioner\'s captions a map over the picture\'s grid', async () => {
    const encoder = ImageEncoder.load(inProject('weights', 'deit3-scenes')), pictures = loadScenes().split('test').records.slice(0, 2);
    const vocabulary = WordVocabulary.fromCaptions(pictures.flatMap(({ captions }) => captions)), random = new Random(1);
    const common = { vocabSize: vocabulary.size, featureSize: encoder.featureSize };
    const decoder = new TransformerDecoder({ ...transformerDecoderDefaults, ...common, hiddenSize: 16, numHeads: 2, numLayers: 2, feedForwardSize: 8 }, random);
    const captioner = new FeatureCaptioner(encoder, decoder, vocabulary, { maxNewTokens: 6, lengthPenalty: 1 });
    const images = pictures.map(({ image }) => image), captions = await captioner.caption(images), before = tensorCount();
    const explained = await attentionRollout(captioner, images, captions);
    assert.equal(tensorCount(), before);
    for (const [i, { caption, grid, tokenMaps, words, maps }] of explained.entries()) {
      assert.deepEqual([caption, grid, tokenMaps.length], [captions[i], [8, 8], caption.tokens.length]);
      assert.equal(words.length, maps.length);
      for (const map of tokenMaps) {
        const sum = map.reduce((a, b) => a + b, 0);
        assert.ok(map.length === 64 && map.every((weight) => weight >= 0) && sum > 0.5 && sum < 0.76, `${sum}`); // ¾ of two layers, less the class token's
      }
    }
    await assert.rejects(attentionRollout(captioner, images, captions.slice(1)), /1 captions for 2 pictures/);
    const lstm = new LstmDecoder({ ...lstmDecoderDefaults, ...common, embedSize: 4, hiddenSize: 4 }, random);
    await assert.rejects(attentionRollout(new FeatureCaptioner(encoder, lstm, vocabulary), images, captions), /LstmDecoder on a .*: expected a TransformerDecoder/);
    lstm.dispose();
    captioner.dispose();
  });
});
