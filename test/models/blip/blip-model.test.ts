import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../../lib/engine';
import { BlipForConditionalGeneration, blipLoadOptions, blipSizes, type BlipGenerationInputs, type BlipInputs, type BlipOptions } from '../../../lib/models';
import { loadState, stateOf, writeSafetensors } from '../../../lib/weights';
import { fillByFormula, formulaValues } from '../../formula';
import { every, relativeTo } from '../../relative-to';
import fixture from '../../fixtures/models/blip.json';

interface Text { input_ids: number[][]; attention_mask?: number[][]; labels?: number[][] }
interface Case {
  config: Record<string, unknown>; names: string[] | null; inputs: Text; loss?: number; logits: number[]; imageEmbeds: number[]; hiddenStates: number[][];
  attentions: number[][]; decoderHiddenStates: number[][]; decoderAttentions: number[][]; crossAttentions: number[][]; gradients?: Record<string, number[]>;
}
interface GradCam { config: object; inputs: Text; position: number; word: number; score: number; crossAttentions: number[][]; gradients: number[][] }
interface Generated { config: object; images: number; options: Record<string, unknown>; inputs: Partial<Text>; sequences: number[][]; scores: number[] }
interface Published extends Case { generated: Generated }
const { cases, gradCam, generated, published } = fixture as unknown as { cases: Case[]; gradCam: GradCam[]; generated: Generated[]; published: Published };

const camelCase = <T>(value: T): T => (typeof value !== 'object' ? value : Object.fromEntries(
  Object.entries(value as object).map(([key, entry]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), camelCase(entry)])) as T);

function build(config: object): BlipForConditionalGeneration {
  const model = new BlipForConditionalGeneration(camelCase(config) as BlipOptions);
  fillByFormula(model);
  return model;
}

/** The same network of several cases, disposed at the end. */
const held = new Map<string, BlipForConditionalGeneration>();
function shared(config: object): BlipForConditionalGeneration {
  const key = JSON.stringify(config);
  if (!held.has(key)) held.set(key, build(config));
  return held.get(key)!;
}

const integers = (rows: number[][]): Tensor => tf.tensor2d(rows, undefined, 'int32');
const pixelsOf = ({ config: { visionConfig: { imageSize } } }: BlipForConditionalGeneration, images: number): Tensor => {
  const shape = [images, 3, imageSize, imageSize];
  return tf.tensor(formulaValues('pixels', shape).map((v) => v * 3), shape);
};
const inputsOf = ({ input_ids, attention_mask, labels }: Text, model: BlipForConditionalGeneration): BlipInputs => ({
  inputIds: integers(input_ids), pixelValues: pixelsOf(model, input_ids.length),
  ...(attention_mask ? { attentionMask: integers(attention_mask) } : {}), ...(labels ? { labels: integers(labels) } : {}),
});
const dispose = (...things: object[]): void => { tf.dispose(things as never); };

describe('BLIP', () => {
  after(() => { for (const model of held.values()) model.dispose(); });

  for (const expected of [...cases, published]) {
    const { inputs: { input_ids: ids, attention_mask: mask }, names, config } = expected;
    it(`equals transformers' with ${ids.length} texts of ${ids[0].length}${mask ? ', padded' : ''}, ${names ? JSON.stringify(config) : 'at the size of the published captioner'}`, () => {
      const before = tensorCount();
      const model = build(config), inputs = inputsOf(expected.inputs, model);
      if (names) assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), names.sort());
      else assert.equal(model.parameterCount(), 223_971_644);
      const outputs = model.forward({ ...inputs, outputHiddenStates: true, outputAttentions: true });
      relativeTo(every(outputs.logits.dataSync(), 200), expected.logits, 1e-4, 'logits');
      relativeTo(every(outputs.imageEmbeds.dataSync()), expected.imageEmbeds, 1e-4, 'image embeddings');
      assert.equal(outputs.loss !== undefined, expected.loss !== undefined);
      if (expected.loss) relativeTo(outputs.loss!.dataSync(), [expected.loss], 1e-4, 'loss');
      for (const key of ['hiddenStates', 'attentions', 'decoderHiddenStates', 'decoderAttentions', 'crossAttentions'] as const) {
        assert.equal(outputs[key]!.length, expected[key].length, key);
        for (const [i, values] of expected[key].entries()) relativeTo(every(outputs[key]![i].dataSync()), values, 1e-4, `${key} ${i}`);
      }
      dispose(outputs, inputs);
      if (!names) {
        const { images, options, sequences, scores } = published.generated;
        const pixelValues = pixelsOf(model, images), result = model.generate({ pixelValues }, camelCase(options));
        assert.deepEqual(result.sequences, sequences);
        relativeTo(result.sequencesScores, scores, 1e-4, 'scores');
        pixelValues.dispose();
      }
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  for (const expected of cases.filter((c) => c.gradients)) {
    it(`gives transformers' gradients of every parameter, the loss ${shared(expected.config).config.textConfig.labelSmoothing ? '' : 'not '}smoothed`, () => {
      const model = build(expected.config), inputs = inputsOf(expected.inputs, model);
      const before = tensorCount();
      const named = [...model.namedParameters()].filter(([name]) => !name.endsWith('key.bias'));
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => model.forward(inputs).loss!) as Scalar, named.map(([, p]) => p.tensor));
      relativeTo(value.dataSync(), [expected.loss!], 1e-4, 'loss');
      assert.deepEqual(named.map(([name]) => name).sort(), Object.keys(expected.gradients!).sort());
      for (const [i, [name, parameter]] of named.entries()) {
        parameter.assign(gradients[i]!);
        relativeTo(every(parameter.save(), 24), expected.gradients![name], 1e-3, name);
      }
      value.dispose();
      assert.equal(tensorCount(), before);
      dispose(inputs);
      model.dispose();
    });
  }

  for (const expected of gradCam) {
    it(`gives PyTorch's gradients of a logit for the cross attentions, word ${expected.word} at ${expected.position}`, () => {
      const model = shared(expected.config), inputs = inputsOf(expected.inputs, model);
      const before = tensorCount();
      const { position, word } = expected, length = expected.inputs.input_ids[0].length, at = position < 0 ? length + position : position;
      const { score, crossAttentions, gradients } = model.crossAttentionGradients(inputs, (logits) => tf.sum(tf.slice(logits, [0, at, word], [-1, 1, 1])));
      relativeTo(score.dataSync(), [expected.score], 1e-4, 'score');
      for (const [ours, theirs, tolerance, what] of [[crossAttentions, expected.crossAttentions, 1e-4, 'attention'], [gradients, expected.gradients, 1e-3, 'gradient']] as const) {
        assert.equal(ours.length, theirs.length);
        for (const [i, values] of theirs.entries()) relativeTo(every(ours[i].dataSync()), values, tolerance, `${what} ${i}`);
      }
      assert.deepEqual(gradients[0].shape, crossAttentions[0].shape);
      dispose([score, ...crossAttentions, ...gradients]);
      assert.throws(() => model.crossAttentionGradients(inputs, () => { throw new Error('no such word'); }), /no such word/);
      assert.equal(tensorCount(), before);
      dispose(inputs);
    });
  }

  for (const [i, { config, images, options, inputs, sequences, scores }] of generated.entries()) {
    it(`captions as transformers' generate (${i}): ${JSON.stringify(options)}, prompts ${JSON.stringify(inputs.input_ids) ?? 'none'}${inputs.attention_mask ? ', masked' : ''}`, () => {
      const model = shared(config), pixelValues = pixelsOf(model, images);
      const before = tensorCount();
      const prompt: Partial<BlipGenerationInputs> = { ...(inputs.input_ids ? { inputIds: inputs.input_ids } : {}), ...(inputs.attention_mask ? { attentionMask: inputs.attention_mask } : {}) };
      const result = model.generate({ pixelValues, ...prompt }, camelCase(options));
      assert.deepEqual(result.sequences, sequences);
      // Without beams transformers scores nothing; its words' log-probabilities are after the processors, ours before.
      if (options.num_beams || Object.keys(options).length === 0) relativeTo(result.sequencesScores, scores, 1e-4, 'scores');
      assert.equal(tensorCount(), before);
      pixelValues.dispose();
    });
  }

  it('gives each generated word\'s cross attentions, with beams or without, with prompts or without', () => {
    const model = shared(cases[0].config), pixelValues = pixelsOf(model, 3);
    const [plain, prompted] = [undefined, [[1, 7, 8, 9], [1, 20, 30, 9], [1, 11, 2, 9]]];
    const before = tensorCount();
    for (const inputIds of [plain, prompted]) {
      for (const numBeams of [1, 3]) {
        const { hypotheses } = model.generate({ pixelValues, inputIds, outputAttentions: true }, { numBeams, maxNewTokens: 5, noRepeatNgramSize: 2 });
        for (const [image, [{ tokens, attention }]] of hypotheses.entries()) {
          const begin = inputIds ? [59, ...inputIds[image].slice(1, -1)] : [59];
          const text = integers([[...begin, ...tokens.slice(0, -1)]]), picture = tf.slice(pixelValues, [image, 0, 0, 0], [1, -1, -1, -1]);
          const outputs = model.forward({ inputIds: text, pixelValues: picture, outputAttentions: true });
          assert.equal(attention!.length, tokens.length);
          // The word is chosen by the state of the word before it.
          const crossAttentions = outputs.crossAttentions!;
          const [, heads, , positions] = crossAttentions[0].shape as [number, number, number, number];
          for (let i = 0; i < tokens.length; i++) {
            const parts = crossAttentions.map((weights) => tf.slice(weights, [0, 0, begin.length - 1 + i, 0], [1, -1, 1, -1]));
            const wanted = tf.tidy(() => tf.reshape(tf.concat(parts, 0), [-1]).dataSync());
            assert.equal(attention![i].length, crossAttentions.length * heads * positions);
            relativeTo(attention![i], wanted, 1e-4, `picture ${image}, word ${i}`);
            dispose(parts);
          }
          dispose(outputs, [text, picture]);
        }
      }
    }
    assert.equal(tensorCount(), before);
    pixelValues.dispose();
  });

  it('reads files with stored position numbers and output layer, and no others', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'blip-')), file = path.join(folder, 'model.safetensors');
    const model = shared(cases[0].config), loaded = new BlipForConditionalGeneration(camelCase(cases[0].config) as BlipOptions);
    const state = stateOf(model);
    state.set('text_decoder.bert.embeddings.position_ids', { shape: [1, 3], data: BigInt64Array.of(0n, 1n, 2n) });
    state.set('text_decoder.cls.predictions.decoder.weight', state.get('text_decoder.bert.embeddings.word_embeddings.weight')!);
    state.set('text_decoder.cls.predictions.decoder.bias', state.get('text_decoder.cls.predictions.bias')!);
    writeSafetensors(file, state);
    loadState(loaded, file, blipLoadOptions);
    const theirs = new Map(model.namedParameters());
    for (const [name, parameter] of loaded.namedParameters()) assert.deepEqual(parameter.save(), theirs.get(name)!.save(), name);
    state.set('text_decoder.cls.predictions.decoder.bias', { shape: [61], data: new Float32Array(61) });
    writeSafetensors(file, state);
    assert.throws(() => loadState(loaded, file, blipLoadOptions), /not tied: text_decoder\.cls\.predictions\.decoder\.bias differs from text_decoder\.cls\.predictions\.bias/);
    loaded.dispose();
    fs.rmSync(folder, { recursive: true });
  });

  it('has the large captioner\'s size', () => {
    const { visionConfig } = blipSizes.large;
    const model = new BlipForConditionalGeneration({ visionConfig: { ...visionConfig, numHiddenLayers: 1 }, textConfig: { numHiddenLayers: 1 } });
    const [vision, text] = [model.vision_model.encoder.layers[0], model.text_decoder.bert.encoder.layer[0]].map((layer) => layer.parameterCount());
    assert.equal(model.parameterCount() + 23 * vision + 11 * text, 446_290_492);
    model.dispose();
  });

  it('refuses texts that are too long or not one a picture, prompts without ends, and pixels of another size', () => {
    const model = shared(cases[0].config), pixelValues = pixelsOf(model, 2);
    const long = tf.zeros([2, 28], 'int32'), one = tf.zeros([1, 4], 'int32'), ids = tf.zeros([2, 4], 'int32'), labels = tf.zeros([2, 5], 'int32'), large = tf.zeros([2, 3, 36, 36]);
    const before = tensorCount();
    assert.throws(() => model.forward({ inputIds: long, pixelValues }), /28 positions, but this BLIP has 27/);
    assert.throws(() => model.forward({ inputIds: one, pixelValues }), /inputIds have the shape \[1,4\]: expected \[2, words\]/);
    assert.throws(() => model.forward({ inputIds: ids, pixelValues, labels }), /labels have the shape \[2,5\]: expected \[2, 4\]/);
    assert.throws(() => model.forward({ inputIds: ids, pixelValues: large }), /\[2,3,36,36\]: expected \[batch, 3, 35, 35\]/);
    assert.throws(() => model.generate({ pixelValues, inputIds: [[1, 2, 3]] }), /1 prompts for 2 pictures/);
    assert.throws(() => model.generate({ pixelValues, inputIds: [[1, 2], [3]] }), /Prompt 1 has 1 ids: expected a start and an end token/);
    assert.throws(() => model.generate({ pixelValues, inputIds: [[1, 2], [3, 4]], attentionMask: [[1], [1]] }), /attentionMask has the shape \[2, 1\]: expected \[2, 2\]/);
    assert.throws(() => model.generate({ pixelValues: large }), /expected \[batch, 3, 35, 35\]/);
    assert.throws(() => model.generate({ pixelValues }, { maxNewTokens: 40 }), /27 positions/);
    assert.equal(tensorCount(), before);
    dispose([pixelValues, long, one, ids, labels, large]);
  });
});
