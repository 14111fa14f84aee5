import assert from 'node:assert/strict';
import * as path from 'node:path';
import { AttentionGruDecoder, attentionGruDefaults, AttentionLstmDecoder, LstmDecoder, TransformerDecoder, type CaptionDecoder } from '../../lib/captioners';
import { Random, tensorCount, tf, valueAndGradients, type Tensor, type Tensor2D } from '../../lib/engine';
import { generate, repeatRows, type StepDecoder } from '../../lib/generation';
import { Adam } from '../../lib/training';
import { SafetensorsFile } from '../../lib/weights';
import { closeTo } from '../close-to';

type Decoder = CaptionDecoder & { forward(features: Tensor, ids: Tensor2D): { logits: Tensor; attention?: Tensor; crossAttentions?: Tensor[] } };
interface Variant { name: string; file: string; decay: number; build(config: never): Decoder }

const gru = (attentionFrom: 'hiddenState' | 'initialState') => (config: object): Decoder =>
  new AttentionGruDecoder({ ...attentionGruDefaults, ...config as { vocabSize: number; featureSize: number }, dropout: 0, attentionFrom }, new Random(1));
const variants: Variant[] = [
  { name: 'AttentionGruDecoder, attention from the hidden state', file: 'attention-gru-every-word', decay: 0, build: gru('hiddenState') },
  { name: 'AttentionGruDecoder, attention from the initial state', file: 'attention-gru-once', decay: 0, build: gru('initialState') },
  { name: 'AttentionLstmDecoder, tanh', file: 'attention-lstm-tanh', decay: 0.01, build: (config) => new AttentionLstmDecoder(config, new Random(1)) },
  { name: 'AttentionLstmDecoder, relu', file: 'attention-lstm-relu', decay: 0.01, build: (config) => new AttentionLstmDecoder(config, new Random(1)) },
  { name: 'LstmDecoder, three layers', file: 'lstm', decay: 0.01, build: (config) => new LstmDecoder(config, new Random(1)) },
  { name: 'TransformerDecoder', file: 'transformer', decay: 0.01, build: (config) => new TransformerDecoder(config, new Random(1)) },
];

/** The decoder with the reference's weights, and the reference's batch. */
function load({ file, build }: Variant) {
  const source = SafetensorsFile.open(path.join(__dirname, '..', 'fixtures', 'captioners', `${file}.safetensors`));
  const decoder = build(JSON.parse(source.metadata.config) as never);
  for (const [path, parameter] of decoder.namedParameters()) parameter.load(source.read(`weights.${path}`));
  const tensor = (key: string, values: Float32Array | Int32Array, dtype: 'float32' | 'int32' = 'float32') => tf.tensor(values, source.tensors.get(key)!.shape, dtype);
  // The GRU's script pads labels with 0 and ignores that.
  const labels = source.readInt32('labels').map((label) => (label === 0 ? -100 : label));
  const batch = {
    features: tensor('features', source.read('features')), inputIds: tensor('ids', source.readInt32('ids'), 'int32') as Tensor2D, labels: tensor('labels', labels, 'int32') as Tensor2D,
  };
  const dispose = () => { decoder.dispose(); tf.dispose(batch as never); source.close(); };
  return { source, decoder, batch, dispose };
}

/** The scores' bias moves all of an image's scores alike: its gradient is zero, and Adam moves it by rounding noise. */
const withoutEffect = (name: string) => name === 'attention.full_att.bias';

describe('recurrent decoders', () => {
  for (const variant of variants) {
    describe(variant.name, () => {
      it('gives PyTorch\'s logits and attention weights', () => {
        const { source, decoder, batch, dispose } = load(variant);
        const outputs = decoder.forward(batch.features, batch.inputIds), { logits, attention } = outputs;
        closeTo(logits.dataSync(), source.read('logits'), 1e-5);
        assert.equal(attention !== undefined, source.tensors.has('attention'));
        if (attention) closeTo(attention.dataSync(), source.read('attention'), 1e-6);
        tf.dispose(outputs as never);
        dispose();
      });

      it('goes on with some of the images as with all', () => {
        const { decoder, batch, dispose } = load(variant), images = batch.features.shape[0], beams = 2;
        const whole = decoder.stepDecoder(batch.features), ids = Int32Array.from({ length: images * beams }, (_, row) => 1 + (row % 3));
        const first = whole.step(ids, whole.start(images, beams)), kept = [images - 1, 0], rows = kept.flatMap((image) => [2 * image, 2 * image + 1]);
        const some = whole.select!(Int32Array.from(kept)), index = tf.tensor1d(rows, 'int32');
        const next = whole.step(ids, first.state), narrowed = some.step(Int32Array.from(rows, (row) => ids[row]), first.state.map((t) => tf.gather(t, index)));
        for (const part of ['logits', 'attention'] as const) {
          const expected = next[part];
          if (expected) closeTo(narrowed[part]!.dataSync(), tf.gather(expected, index).dataSync(), 1e-5);
        }
        whole.dispose();
        some.dispose();
        dispose();
      });

      it('gives PyTorch\'s gradients of every parameter and of the features', () => {
        const { source, decoder, batch, dispose } = load(variant);
        const named = [...decoder.namedParameters()].filter(([name]) => !withoutEffect(name));
        const { value, gradients } = valueAndGradients(() => decoder.loss(batch), [...named.map(([, p]) => p.tensor), batch.features]);
        if (source.tensors.has('loss')) closeTo(value.dataSync(), source.read('loss'), 1e-6);
        for (const [i, key] of [...named.map(([path]) => path), 'features'].entries()) {
          closeTo(gradients[i]!.dataSync(), source.read(`gradients.${key}`), 1e-5, key);
        }
        tf.dispose([value, ...gradients as never[]]);
        dispose();
      });

      it('follows ten steps of torch\'s Adam or AdamW', () => {
        const { source, decoder, batch, dispose } = load(variant);
        const parameters = decoder.trainableParameters();
        const adam = new Adam(parameters, { learningRate: 1e-2, weightDecay: variant.decay });
        const losses: number[] = [];
        for (let i = 0; i < 10; i++) {
          const { value, gradients } = valueAndGradients(() => decoder.loss(batch), parameters.map((p) => p.tensor));
          losses.push(value.dataSync()[0]);
          value.dispose();
          adam.step(gradients);
        }
        closeTo(losses, source.read('losses'), 2e-5);
        for (const [path, parameter] of decoder.namedParameters()) {
          if (source.tensors.has(`after.${path}`)) closeTo(parameter.save(), source.read(`after.${path}`), 2e-4, path);
        }
        adam.dispose();
        dispose();
      });

      it('decodes step by step what it computes for the whole sequence', () => {
        const { source, decoder, batch, dispose } = load(variant);
        const expected = source.read('logits'), ids = source.readInt32('ids');
        const [rows, steps] = batch.inputIds.shape, vocab = decoder.config.vocabSize;
        const stepper = decoder.stepDecoder(batch.features);
        let state = stepper.start(rows, 1);
        for (let t = 0; t < steps; t++) {
          const out = stepper.step(Int32Array.from({ length: rows }, (_, b) => ids[b * steps + t]), state);
          const wanted = Array.from({ length: rows }, (_, b) => Array.from(expected.subarray((b * steps + t) * vocab, (b * steps + t + 1) * vocab))).flat();
          closeTo(out.logits.dataSync(), wanted, 1e-5);
          tf.dispose([...state, out.logits, ...(out.attention ? [out.attention] : [])]);
          state = out.state;
        }
        tf.dispose([...state]);
        stepper.dispose();
        dispose();
      });

      it('leaves no tensor behind after training steps, greedy and beam search', () => {
        const { decoder, batch, dispose } = load(variant);
        const before = tensorCount();
        const { value, gradients } = valueAndGradients(() => decoder.loss(batch), decoder.parameters().map((p) => p.tensor));
        tf.dispose([value, ...gradients as never[]]);
        const stepper = decoder.stepDecoder(batch.features);
        const prompt = { promptIds: Array.from({ length: 5 }, () => [1]), eosTokenId: 2, padTokenId: 0 };
        const greedy = generate(stepper, prompt, { maxNewTokens: 6 }).hypotheses.flat();
        const beams = generate(stepper, prompt, { numBeams: 3, maxNewTokens: 6, suppressTokens: [0] }).hypotheses;
        const single = generate(stepper, prompt, { numBeams: 3, numReturnSequences: 1, maxNewTokens: 6, suppressTokens: [0] }).hypotheses;
        stepper.dispose();
        assert.equal(tensorCount(), before);
        assert.deepEqual(single.map(([best]) => best.tokens), beams.map(([best]) => best.tokens), 'a search leaves the decoder as it was');
        assert.ok(greedy.every(({ tokens, attention }) => tokens.length > 0 && (!attention || attention.length === tokens.length)));
        assert.ok(beams.every((b) => b.length === 3 && b[0].score >= b[1].score && b.every(({ tokens }) => !tokens.includes(0))));
        dispose();
      });
    });
  }

  it('LstmDecoder starts from standard normal words, He\'s matrices for what comes into them and forget gates of 1', () => {
    const decoder = new LstmDecoder({ vocabSize: 90, featureSize: 60, embedSize: 40, hiddenSize: 50, numLayers: 2, dropout: 0 }, new Random(1));
    for (const [name, parameter] of decoder.namedParameters()) {
      const values = parameter.save(), { shape } = parameter;
      if (shape.length > 1) {
        const std = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
        const expected = name === 'embedding.weight' ? 1 : Math.sqrt(2 / shape[1] / (name === 'lstm.weight_ih_l1' ? 0.07 : 1));
        assert.ok(Math.abs(std / expected - 1) < 0.1, `${name}: ${std}, expected ${expected}`);
      } else {
        const isForget = (i: number) => name.startsWith('lstm.bias_ih') && i >= 50 && i < 100;
        assert.deepEqual([...values], Array.from(values, (_, i) => (isForget(i) ? 1 : 0)), name);
      }
    }
    decoder.dispose();
  });

  it('TransformerDecoder gives every layer\'s and head\'s attention on request, the same for beams as for the whole', () => {
    const { decoder, batch, dispose } = load(variants.find(({ file }) => file === 'transformer')!);
    const stepper = decoder.stepDecoder(batch.features, { outputAttentions: true });
    const prompt = { promptIds: Array.from({ length: 5 }, () => [1]), eosTokenId: 2, padTokenId: 0 };
    const found = generate(stepper, prompt, { numBeams: 3, maxNewTokens: 5 }).hypotheses.map(([best]) => best);
    assert.deepEqual(stepper.attentionShape, [2, 3, 6]);
    for (const [image, { tokens, attention }] of found.entries()) {
      const ids = tf.tensor2d([[1, ...tokens.slice(0, -1)]], undefined, 'int32'), features = tf.slice(batch.features, [image, 0, 0], [1, -1, -1]);
      const outputs = decoder.forward(features, ids);
      const [[layers], [, heads, words, positions]] = [[outputs.crossAttentions!.length], outputs.crossAttentions![0].shape];
      for (let word = 0; word < words!; word++) {
        const expected = Array.from({ length: layers }, (_, layer) => {
          const values = outputs.crossAttentions![layer].dataSync();
          return Array.from({ length: heads! }, (_, head) => Array.from(values.subarray((head * words! + word) * positions!, (head * words! + word + 1) * positions!)));
        }).flat(2);
        closeTo(attention![word], expected, 1e-5);
      }
      tf.dispose([ids, features, outputs] as never);
    }
    stepper.dispose();
    dispose();
  });

  it('TransformerDecoder finds the same beams with cached keys and values as without', () => {
    const { decoder, batch, dispose } = load(variants.find(({ file }) => file === 'transformer')!);
    const stepper = decoder.stepDecoder(batch.features), { vocabSize, maxPositions } = stepper;
    /** Its state is the text so far, which it reads anew for every word. */
    const uncached: StepDecoder = {
      vocabSize, maxPositions,
      start: (images, beams) => [tf.zeros([images * beams, 0], 'int32')],
      step: (ids, [before]) => {
        const [logits, text] = tf.tidy(() => {
          const text = tf.concat([before, tf.tensor2d(ids, [ids.length, 1], 'int32')], 1) as Tensor2D;
          const { logits } = decoder.forward(repeatRows(batch.features, ids.length / 5), text);
          return [tf.reshape(tf.slice(logits, [0, text.shape[1] - 1, 0], [-1, 1, -1]), [ids.length, vocabSize]), text];
        });
        return { logits, state: [text] };
      },
    };
    const prompt = { promptIds: Array.from({ length: 5 }, () => [1]), eosTokenId: 2, padTokenId: 0 };
    for (const numBeams of [1, 3, 5, 10]) {
      const [cached, whole] = [stepper, uncached].map((one) => generate(one, prompt, { numBeams, maxNewTokens: 8 }).hypotheses);
      assert.deepEqual(cached.map((beams) => beams.map(({ tokens }) => tokens)), whole.map((beams) => beams.map(({ tokens }) => tokens)));
      closeTo(cached.flat().map(({ score }) => score), whole.flat().map(({ score }) => score), 1e-5);
    }
    stepper.dispose();
    dispose();
  });

  it('TransformerDecoder refuses captions longer than its positions', () => {
    const { decoder, batch, dispose } = load(variants.find(({ file }) => file === 'transformer')!);
    const before = tensorCount(), ids = tf.zeros([5, 10], 'int32') as Tensor2D;
    assert.throws(() => decoder.forward(batch.features, ids), /10 positions, but this decoder has 9/);
    ids.dispose();
    assert.equal(tensorCount(), before);
    dispose();
  });
});
