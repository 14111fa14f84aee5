import assert from 'node:assert/strict';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import type { GenerationConfig } from '../../lib/generation';
import { toCamelCase, VisionEncoderDecoderModel, type VisionEncoderDecoderOutputs } from '../../lib/models';
import { Parameter } from '../../lib/nn';
import { closeTo } from '../close-to';
import fixture from '../fixtures/models/vision-encoder-decoder.json';
import { fillByFormula, formulaValues } from '../formula';
import { every, relativeTo } from '../relative-to';

interface Generated { options: Record<string, unknown>; sequences: number[][]; scores: number[] | null }
interface Case {
  encoder: Record<string, unknown>; decoder: Record<string, unknown>; batch: number; names: string[] | null; labels: number[][];
  loss: number; logits: number[];
  encoderLastHiddenState: number[]; encoderHiddenStates: number[][]; encoderAttentions: number[][];
  decoderHiddenStates: number[][]; decoderAttentions: number[][]; crossAttentions: number[][]; gradients: Record<string, number[]>; generated: Generated[];
}
const [real, ...cases] = [...(fixture as unknown as Case[])].sort((a, b) => Number(a.names !== null) - Number(b.names !== null));
const START = 1, EOS = 7, PAD = 2;

function build({ encoder, decoder }: Case): VisionEncoderDecoderModel {
  const model = new VisionEncoderDecoderModel({ encoder: toCamelCase(encoder), decoder: toCamelCase(decoder), decoderStartTokenId: START,
    padTokenId: PAD }, undefined, { pooler: true });
  model.generationConfig = { decoderStartTokenId: START, eosTokenId: EOS, padTokenId: PAD };
  fillByFormula(model);
  return model;
}

function pixels({ encoder, batch }: Case): Tensor {
  const shape = [batch, (encoder.num_channels as number) ?? 3, encoder.image_size as number, encoder.image_size as number];
  return tf.tensor(formulaValues('pixels', shape).map((v) => v * 3), shape);
}

const integers = (rows: number[][]): Tensor => tf.tensor2d(rows, undefined, 'int32');
const dispose = (...things: object[]): void => { tf.dispose(things as never); };

describe('VisionEncoderDecoderModel', () => {
  for (const [i, expected] of cases.entries()) {
    const what = i === 0 ? 'with a layer between the halves' : 'with halves of the same width';

    it(`equals transformers' ${what}`, () => {
      const before = tensorCount(), model = build(expected), pixelValues = pixels(expected), labels = integers(expected.labels);
      assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), [...expected.names!].sort());
      const outputs = model.forward({ pixelValues, labels, outputHiddenStates: true, outputAttentions: true });
      relativeTo(outputs.loss!.dataSync(), [expected.loss], 1e-4, 'loss');
      relativeTo(every(outputs.logits.dataSync(), 200), expected.logits, 1e-4, 'logits');
      relativeTo(every(outputs.encoderLastHiddenState.dataSync()), expected.encoderLastHiddenState, 1e-4, 'encoderLastHiddenState');
      for (const key of ['encoderHiddenStates', 'encoderAttentions', 'decoderHiddenStates', 'decoderAttentions',
        'crossAttentions'] as const) {
        assert.equal(outputs[key]!.length, expected[key].length, key);
        for (const [layer, values] of expected[key].entries()) relativeTo(every(outputs[key]![layer].dataSync()), values, 1e-4,
          `${key} ${layer}`);
      }
      const bare = model.forward({ encoderLastHiddenState: outputs.encoderLastHiddenState, labels });
      const expectedKeys: (keyof VisionEncoderDecoderOutputs)[] = ['encoderLastHiddenState', 'logits', 'loss'];
      assert.deepEqual(Object.keys(bare).sort(), expectedKeys);
      closeTo(bare.loss!.dataSync(), outputs.loss!.dataSync(), 1e-6);
      dispose(bare, outputs, pixelValues, labels);
      model.dispose();
      assert.equal(tensorCount(), before);
    });

    it(`gives transformers' gradients ${what}, of the halves that are not frozen`, () => {
      const before = tensorCount(), model = build(expected), pixelValues = pixels(expected), labels = integers(expected.labels);
      const total = Object.keys(expected.gradients).length;
      const beyond = Object.keys(expected.gradients).filter((name) => !name.startsWith('encoder.')).length;
      for (const [frozen, count] of [[null, total], [model.encoder, beyond]] as const) {
        frozen?.freeze();
        const named = [...model.namedParameters()].filter(([name, p]) => p.trainable && name in expected.gradients);
        assert.equal(named.length, count);
        const { value, gradients } = valueAndGradients(() => tf.tidy(() => model.forward({ pixelValues, labels }).loss!) as Scalar,
          named.map(([, p]) => p.tensor));
        for (const [g, [name, { layout }]] of named.entries()) {
          const asStored = new Parameter(gradients[g]!, { layout });
          relativeTo(every(asStored.save(), 24), expected.gradients[name], 1e-3, name);
          asStored.dispose();
        }
        value.dispose();
      }
      dispose(pixelValues, labels);
      model.dispose();
      assert.equal(tensorCount(), before);
    });

    it(`generates transformers' captions ${what} (${expected.generated.length} settings)`, () => {
      const model = build(expected), pixelValues = pixels(expected), { weight } = model.decoder.transformer.ln_f;
      weight.assign(tf.mul(weight.tensor, 2));
      for (const { options: { decoder_input_ids: begun, ...options }, sequences, scores } of expected.generated) {
        const before = tensorCount(), decoderInputIds = begun ? integers(begun as number[][]) : undefined;
        const result = model.generate({ pixelValues, decoderInputIds }, toCamelCase(options) as GenerationConfig);
        assert.deepEqual(result.sequences, sequences, JSON.stringify(options));
        if (scores) closeTo(result.sequencesScores, scores, 1e-4, JSON.stringify(options));
        decoderInputIds?.dispose();
        assert.equal(tensorCount(), before);
      }
      pixelValues.dispose();
      model.dispose();
    });
  }

  it('equals transformers\' at published sizes: ViT-Ti/16 and DistilGPT-2', () => {
    const model = build(real), pixelValues = pixels(real), labels = integers(real.labels), { weight } = model.decoder.transformer.ln_f;
    const outputs = model.forward({ pixelValues, labels, outputAttentions: true });
    relativeTo(outputs.loss!.dataSync(), [real.loss], 1e-4, 'loss');
    relativeTo(every(outputs.logits.dataSync(), 200), real.logits, 1e-4, 'logits');
    relativeTo(every(outputs.encoderLastHiddenState.dataSync()), real.encoderLastHiddenState, 1e-4, 'encoderLastHiddenState');
    for (const [layer, values] of real.crossAttentions.entries()) relativeTo(every(outputs.crossAttentions![layer].dataSync()), values,
      1e-4, `crossAttentions ${layer}`);
    weight.assign(tf.mul(weight.tensor, 2));
    for (const { options, sequences, scores } of real.generated) {
      const result = model.generate({ pixelValues }, toCamelCase(options) as GenerationConfig);
      assert.deepEqual(result.sequences, sequences);
      if (scores) closeTo(result.sequencesScores, scores, 1e-4);
    }
    dispose(outputs, pixelValues, labels);
    model.dispose();
  });

  it('makes the keys of cross attention once an image, however many beams there are', () => {
    const model = build(cases[0]), pixelValues = pixels(cases[0]), shapes: number[][] = [], { forward } = model.decoder;
    model.decoder.forward = (inputs) => {
      assert.equal(inputs.encoderHiddenStates, undefined);
      shapes.push(inputs.inputIds.shape, inputs.pastKeyValues![0].crossKey!.shape.slice(0, 1));
      return forward.call(model.decoder, inputs);
    };
    model.generate({ pixelValues }, { numBeams: 4, maxNewTokens: 2 });
    assert.deepEqual(shapes, [[12, 1], [3], [12, 1], [3]]);
    pixelValues.dispose();
    model.dispose();
  });

  it('keeps each token\'s attention to the image, also of beams', async () => {
    const [expected] = cases, model = build(expected), pixelValues = pixels(expected), before = tensorCount();
    for (const numBeams of [1, 4]) {
      const { hypotheses } = model.generate({ pixelValues, outputAttentions: true }, { numBeams, maxNewTokens: 6, eosTokenId: null });
      for (const image of [0, 2]) {
        const { tokens, attention } = hypotheses[image][0], decoderInputIds = integers(new Array(3).fill([START, ...tokens.slice(0, -1)]));
        const { crossAttentions, ...rest } = model.forward({ pixelValues, decoderInputIds, outputAttentions: true });
        for (const [t, weights] of attention!.entries()) {
          const whole = crossAttentions!.flatMap((layer) => (layer.arraySync() as number[][][][])[image].flatMap((head) => head[t]));
          closeTo(weights, whole, 1e-5, `${numBeams} beams, image ${image}, token ${t}`);
        }
        dispose(crossAttentions!, rest, decoderInputIds);
      }
    }
    const streamed: (number | null)[] = [];
    for await (const tokens of model.stream({ pixelValues }, { maxNewTokens: 4 })) streamed.push(tokens[1]);
    assert.deepEqual(streamed.filter((token) => token !== null), model.generate({ pixelValues },
      { maxNewTokens: 4 }).hypotheses[1][0].tokens);
    assert.equal(tensorCount(), before);
    pixelValues.dispose();
    model.dispose();
  });

  it('says what is missing or does not fit, and leaves no tensor behind', () => {
    const [expected] = cases, model = build(expected), pixelValues = pixels(expected), labels = integers(expected.labels),
      ids = integers([[1, 2]]), before = tensorCount();
    assert.throws(() => model.forward({ pixelValues }), /nothing to read: give decoderInputIds, or labels/);
    assert.throws(() => model.forward({ labels }), /Either pixelValues or encoderLastHiddenState is needed: neither/);
    assert.throws(() => model.generate({}), /needed: neither were given/);
    assert.throws(() => model.forward({ pixelValues: labels, labels }), /pixelValues have the shape/);
    assert.throws(() => model.generate({ pixelValues, decoderInputIds: ids }),
      /decoderInputIds have the shape \[1,2\]: expected \[3, tokens\]/);
    assert.throws(() => model.generate({ pixelValues }, { maxNewTokens: 50 }), /21 positions/);
    assert.throws(() => model.generate({ pixelValues }, { numBeams: 0 }), /numBeams is 0/);
    const none = new VisionEncoderDecoderModel({ ...model.config, decoderStartTokenId: null, padTokenId: null });
    assert.throws(() => none.forward({ pixelValues, labels }), /decoderStartTokenId and padTokenId, which are null and null/);
    assert.throws(() => none.generate({ pixelValues }), /needs decoderStartTokenId/);
    none.dispose();
    assert.equal(tensorCount(), before);
    dispose(pixelValues, labels, ids);
    model.dispose();
  });
});
