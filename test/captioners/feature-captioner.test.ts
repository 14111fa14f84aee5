import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { AttentionGruDecoder, attentionGruDefaults, AttentionLstmDecoder, attentionLstmDefaults, ImageEncoder, LstmDecoder, lstmDecoderDefaults, FeatureCaptioner, TransformerDecoder, transformerDecoderDefaults } from '../../lib/captioners';
import { Random, randomNormal, tensorCount } from '../../lib/engine';
import { inProject } from '../../lib/project';
import { SentencePieceBpe, WordVocabulary } from '../../lib/tokenizers';

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
