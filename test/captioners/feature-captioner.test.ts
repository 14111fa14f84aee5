import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { AttentionGruDecoder, attentionGruDefaults, AttentionLstmDecoder, attentionLstmDefaults, ImageEncoder, LstmDecoder, lstmDecoderDefaults, FeatureCaptioner, TransformerDecoder, transformerDecoderDefaults } from '../../lib/captioners';
import { Random, randomNormal, tensorCount, tf, type Tensor2D } from '../../lib/engine';
import { inProject } from '../../lib/project';
import { SentencePieceBpe, WordVocabulary } from '../../lib/tokenizers';
import { closeTo } from '../close-to';

const captions = ['a red ball on the grass', 'two birds fly over a house', 'the cat sleeps', 'a ball and a cat on a red house'];

describe('FeatureCaptioner', () => {
  const words = WordVocabulary.fromCaptions(captions), pieces = SentencePieceBpe.train(captions, { vocabularySize: 40, hardLimit: false });
  let folder: string, encoder: ImageEncoder;
  before(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'recurrent-')); encoder = ImageEncoder.load(inProject('weights', 'mobilenet_v2-scenes')); });
  after(() => { fs.rmSync(folder, { recursive: true, force: true }); encoder.dispose(); });

  const featureSize = 1280, small = { embedSize: 6, hiddenSize: 7 };
  for (const [name, vocabulary, make] of [
    ['attention and GRU on words', words, (vocabSize: number) => new AttentionGruDecoder({ ...attentionGruDefaults, ...small, vocabSize, featureSize }, new Random(1))],
    ['attention and LSTM on words', words, (vocabSize: number) => new AttentionLstmDecoder({ ...attentionLstmDefaults, ...small, attentionSize: 5, vocabSize, featureSize }, new Random(2))],
    ['three LSTM layers on pieces', pieces, (vocabSize: number) => new LstmDecoder({ ...lstmDecoderDefaults, ...small, vocabSize, featureSize }, new Random(3))],
    ['three LSTM layers on standardised features', pieces, (vocabSize: number) => {
      const decoder = new LstmDecoder({ ...lstmDecoderDefaults, ...small, vocabSize, featureSize, standardizeFeatures: true }, new Random(3));
      decoder.standardize({ mean: new Float32Array(featureSize).fill(0.25), std: new Float32Array(featureSize).fill(2) });
      return decoder;
    }],
    ['a Transformer on pieces', pieces, (vocabSize: number) => new TransformerDecoder({
      ...transformerDecoderDefaults, hiddenSize: 8, numHeads: 2, feedForwardSize: 12, numLayers: 2, vocabSize, featureSize,
    }, new Random(4))],
  ] as const) {
    it(`${name}: what is saved captions alike after loading`, () => {
      const before = tensorCount();
      const captioner = new FeatureCaptioner(encoder, make(vocabulary.size), vocabulary, { maxNewTokens: 9, lengthPenalty: 0.6 });
      const features = randomNormal([2, encoder.positions, featureSize], [1, 2]);
      const expected = captioner.captionBeams(features, { numBeams: 3 });
      assert.ok(expected.every((beams) => beams.length === 3 && beams.every(({ tokens, words }) => tokens.length <= 9 && words.length === tokens.length)));
      const at = path.join(folder, name.replaceAll(' ', '-'));
      captioner.save(at);
      const loaded = FeatureCaptioner.load(at);
      assert.equal(loaded.decoder.constructor, captioner.decoder.constructor);
      assert.deepEqual(loaded.decoder.config, captioner.decoder.config);
      assert.deepEqual(loaded.captionBeams(features, { numBeams: 3 }), expected);
      features.dispose();
      captioner.decoder.dispose();
      loaded.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  it('of an LSTM tells it features as they are, or less their mean by their deviation', () => {
    const build = (standardizeFeatures: boolean) => new LstmDecoder({ ...lstmDecoderDefaults, ...small, vocabSize: 9, featureSize: 3, standardizeFeatures }, new Random(3));
    const [plain, standardised] = [build(false), build(true)], statistics = { mean: Float32Array.of(1, 2, 3), std: Float32Array.of(2, 4, 8) };
    standardised.standardize(statistics);
    const ids = tf.tensor2d([[1, 4]], undefined, 'int32') as Tensor2D;
    const logits = (decoder: LstmDecoder, values: number[]) => tf.tidy(() => decoder.forward(tf.tensor3d([[values]]), ids).logits.dataSync());
    closeTo(logits(standardised, [5, -2, 3]), [...logits(plain, [2, -1, 0])], 1e-6);
    assert.throws(() => plain.standardize(statistics), /standardizeFeatures: true/);
    for (const one of [plain, standardised]) one.dispose();
    ids.dispose();
  });

  it('says what is wrong with a folder that is not one of its own', () => {
    const at = path.join(folder, 'wrong');
    fs.mkdirSync(at);
    const config = (json: object) => fs.writeFileSync(path.join(at, 'config.json'), JSON.stringify(json));
    assert.throws(() => FeatureCaptioner.load(at), /config\.json cannot be read: expected a folder that FeatureCaptioner\.save wrote/);
    config({ model_type: 'gpt2' });
    assert.throws(() => FeatureCaptioner.load(at), /model_type is gpt2: expected one of attention_gru_captioner, attention_lstm_captioner, lstm_captioner, transformer_captioner/);
    config({ model_type: 'lstm_captioner' });
    assert.throws(() => FeatureCaptioner.load(at), /has no vocabulary: expected tokenizer\.json or sentencepiece\.vocab/);
    words.save(path.join(at, 'tokenizer.json'));
    assert.throws(() => FeatureCaptioner.load(at), /config\.json: vocab_size: /);
  });
});
