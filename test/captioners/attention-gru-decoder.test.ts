import assert from 'node:assert/strict';
import * as path from 'node:path';
import { AttentionGruDecoder, attentionGruDefaults } from '../../lib/captioners';
import { Random, tensorCount, tf, valueAndGradients, type Tensor2D } from '../../lib/engine';
import { generate } from '../../lib/generation';
import { Adam } from '../../lib/training';
import { SafetensorsFile } from '../../lib/weights';
import { closeTo } from '../close-to';

const fixture = (name: string) => path.join(__dirname, '..', 'fixtures', 'captioners', `attention-gru-${name}.safetensors`);
const variants = [['every-word', 'hiddenState'], ['once', 'initialState']] as const;

/** The decoder with the reference's weights, and the reference's batch. */
function load(name: string, attentionFrom: 'hiddenState' | 'initialState') {
  const source = SafetensorsFile.open(fixture(name));
  const decoder = new AttentionGruDecoder({ ...attentionGruDefaults, ...JSON.parse(source.metadata.config), dropout: 0, attentionFrom }, new Random(1));
  for (const [path, parameter] of decoder.namedParameters()) parameter.load(source.read(`weights.${path}`));
  const tensor = (key: string, dtype: 'float32' | 'int32' = 'float32') => tf.tensor(source.read(key), source.tensors.get(key)!.shape, dtype);
  const batch = { features: tensor('features'), inputIds: tensor('ids', 'int32') as Tensor2D, labels: tensor('labels', 'int32') as Tensor2D };
  const dispose = () => { decoder.dispose(); tf.dispose(batch as never); source.close(); };
  return { source, decoder, batch, dispose };
}

describe('AttentionGruDecoder', () => {
  for (const [name, attentionFrom] of variants) {
    describe(`attention from the ${attentionFrom}`, () => {
      it('gives PyTorch\'s logits and attention weights', () => {
        const { source, decoder, batch, dispose } = load(name, attentionFrom);
        const { logits, attention } = decoder.forward(batch.features, batch.inputIds);
        closeTo(logits.dataSync(), source.read('logits'), 1e-5);
        closeTo(attention.dataSync(), source.read('attention'), 1e-6);
        tf.dispose([logits, attention]);
        dispose();
      });

      it('gives PyTorch\'s gradients of every parameter and of the features', () => {
        const { source, decoder, batch, dispose } = load(name, attentionFrom);
        const named = [...decoder.namedParameters()];
        const { value, gradients } = valueAndGradients(() => decoder.loss(batch), [...named.map(([, p]) => p.tensor), batch.features]);
        for (const [i, key] of [...named.map(([path]) => path), 'features'].entries()) {
          closeTo(gradients[i]!.dataSync(), source.read(`gradients.${key}`), 1e-5, key);
        }
        tf.dispose([value, ...gradients as never[]]);
        dispose();
      });

      it('follows ten steps of torch.optim.Adam, losses and weights', () => {
        const { source, decoder, batch, dispose } = load(name, attentionFrom);
        const parameters = decoder.trainableParameters();
        const adam = new Adam(parameters, { learningRate: 1e-2 });
        const losses: number[] = [];
        for (let i = 0; i < 10; i++) {
          const { value, gradients } = valueAndGradients(() => decoder.loss(batch), parameters.map((p) => p.tensor));
          losses.push(value.dataSync()[0]);
          value.dispose();
          adam.step(gradients);
        }
        closeTo(losses, source.read('losses'), 2e-5);
        for (const [path, parameter] of decoder.namedParameters()) closeTo(parameter.save(), source.read(`after.${path}`), 2e-4, path);
        adam.dispose();
        dispose();
      });

      it('decodes step by step what it computes for the whole sequence', () => {
        const { source, decoder, batch, dispose } = load(name, attentionFrom);
        const expected = source.read('logits'), ids = source.read('ids');
        const [rows, steps] = batch.inputIds.shape, vocab = decoder.config.vocabSize;
        const stepper = decoder.stepDecoder(batch.features);
        let state = stepper.start(rows, 1);
        for (let t = 0; t < steps; t++) {
          const out = stepper.step(Int32Array.from({ length: rows }, (_, b) => ids[b * steps + t]), state);
          const wanted = Array.from({ length: rows }, (_, b) => Array.from(expected.subarray((b * steps + t) * vocab, (b * steps + t + 1) * vocab))).flat();
          closeTo(out.logits.dataSync(), wanted, 1e-5);
          tf.dispose([...state, out.logits, out.attention!]);
          state = out.state;
        }
        tf.dispose([...state]);
        stepper.dispose();
        dispose();
      });

      it('leaves no tensor behind after training steps, greedy and beam search', () => {
        const { decoder, batch, dispose } = load(name, attentionFrom);
        const before = tensorCount();
        const { value, gradients } = valueAndGradients(() => decoder.loss(batch), decoder.parameters().map((p) => p.tensor));
        tf.dispose([value, ...gradients as never[]]);
        const stepper = decoder.stepDecoder(batch.features);
        const prompt = { promptIds: Array.from({ length: 5 }, () => [1]), eosTokenId: 2, padTokenId: 0 };
        const greedy = generate(stepper, prompt, { maxNewTokens: 6 }).hypotheses.flat();
        const beams = generate(stepper, prompt, { numBeams: 3, maxNewTokens: 6, suppressTokens: [0] }).hypotheses;
        stepper.dispose();
        assert.equal(tensorCount(), before);
        assert.ok(greedy.every(({ tokens, attention }) => tokens.length > 0 && attention!.length === tokens.length));
        assert.ok(beams.every((b) => b.length === 3 && b[0].score >= b[1].score && b.every(({ tokens }) => !tokens.includes(0))));
        dispose();
      });
    });
  }
});
