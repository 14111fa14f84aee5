import assert from 'node:assert/strict';
import { Gpt2Decoder } from '../../lib/captioners';
import { tensorCount, tf, valueAndGradients } from '../../lib/engine';
import { VisionEncoderDecoderModel } from '../../lib/models';
import { Parameter } from '../../lib/nn';
import { captionRows } from '../../lib/training';
import { closeTo } from '../close-to';
import { every, relativeTo } from '../relative-to';
import { expected, promptedGpt2 } from './prompted-gpt2';

describe('Gpt2Decoder', () => {
  const { end, prompt, captions } = expected;
  const rows = () => captionRows(captions, { startId: end, endId: end, padId: end, promptIds: prompt, paddingSide: 'left' });

  it('has transformers\' loss of prompted captions padded left, positions given or not, and its logits', () => {
    const before = tensorCount(), { model, features } = promptedGpt2(), batch = { features, ...rows() };
    for (const from of ['text', 'batch'] as const) {
      const loss = new Gpt2Decoder(model, from).loss(batch);
      closeTo(loss.dataSync(), [expected.loss[from]], 1e-4, from);
      loss.dispose();
    }
    const { loss, logits } = new Gpt2Decoder(model).losses(batch), width = expected.config.vocab_size;
    const seen = batch.attentionMask!.arraySync().flat(), values = logits.dataSync();
    relativeTo(every(Array.from(values).filter((_, i) => seen[Math.floor(i / width)] === 1), 200), expected.logits, 1e-4, 'logits');
    tf.dispose([loss, logits, ...Object.values(batch)]);
    model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('has its gradients, of every parameter that is trained', () => {
    const { model, features } = promptedGpt2(), decoder = new Gpt2Decoder(model), batch = { features, ...rows() }, before = tensorCount();
    const named = [...decoder.namedParameters()];
    assert.deepEqual(named.map(([name]) => name.replace(/^decoder\./, '')).sort(), Object.keys(expected.gradients).sort());
    const { value, gradients } = valueAndGradients(() => decoder.loss(batch), named.map(([, p]) => p.tensor));
    for (const [i, [name, { layout }]] of named.entries()) {
      const asStored = new Parameter(gradients[i]!, { layout });
      relativeTo(every(asStored.save(), 24), expected.gradients[name.replace(/^decoder\./, '')], 1e-3, name);
      asStored.dispose();
    }
    value.dispose();
    assert.equal(tensorCount(), before);
    tf.dispose(Object.values(batch));
    model.dispose();
  });

  it('is the model\'s own decoder, with the layer between the halves where their widths differ', () => {
    const encoder = { imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 8 };
    const half = { vocabSize: 9, nPositions: 12, nEmbd: 12, nLayer: 1, nHead: 2 };
    const model = new VisionEncoderDecoderModel({ encoder, decoder: half, decoderStartTokenId: 0, padTokenId: 0 });
    const decoder = new Gpt2Decoder(model), names = [...model.namedParameters()].filter(([name]) => !name.startsWith('encoder.'));
    assert.deepEqual([...decoder.namedParameters()], names);
    assert.equal(decoder.config.featureSize, 8);
    const features = tf.randomNormal([2, 5, 8]), ids = tf.tensor2d([[0, 3], [0, 4]], undefined, 'int32'), before = tensorCount();
    const logits = decoder.forward({ features, inputIds: ids });
    const whole = model.forward({ encoderLastHiddenState: features, decoderInputIds: ids });
    closeTo(logits.dataSync(), whole.logits.dataSync(), 1e-6);
    tf.dispose([logits, whole as never]);
    assert.equal(tensorCount(), before);
    tf.dispose([features, ids]);
    model.dispose();
  });
});
