import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../../lib/engine';
import { clipLoadOptions, CLIPModel, clipSizes, type CLIPInputs, type CLIPOptions, type CLIPTowerOutputs } from '../../../lib/models';
import { loadState, stateOf, writeSafetensors } from '../../../lib/weights';
import { fillByFormula, formulaValues } from '../../formula';
import { every, relativeTo } from '../../relative-to';
import fixture from '../../fixtures/models/clip.json';

interface Tower { lastHiddenState: number[]; poolerOutput: number[]; hiddenStates: number[][]; attentions: number[][] }
interface Case {
  config: Record<string, unknown>; names: string[] | null; inputs: { input_ids: number[][]; attention_mask?: number[][]; position_ids?: number[][] }; images: number;
  logitsPerImage: number[]; logitsPerText: number[]; imageEmbeds: number[]; textEmbeds: number[]; textModelOutput: Tower; visionModelOutput: Tower;
  loss?: number; gradients?: Record<string, number[]>;
}
const cases = fixture as unknown as Case[];

const camelCase = (value: unknown): unknown => (typeof value !== 'object' ? value : Object.fromEntries(
  Object.entries(value as object).map(([key, entry]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), camelCase(entry)])));

function build({ config }: Case): CLIPModel {
  const model = new CLIPModel(camelCase(config) as CLIPOptions);
  fillByFormula(model);
  return model;
}

const integers = (rows: number[][]): Tensor => tf.tensor2d(rows, undefined, 'int32');

function inputsOf({ inputs, images, loss }: Case, { config: { visionConfig: { numChannels, imageSize } } }: CLIPModel): CLIPInputs {
  const shape = [images, numChannels, imageSize, imageSize];
  return {
    inputIds: integers(inputs.input_ids), pixelValues: tf.tensor(formulaValues('pixels', shape), shape), returnLoss: loss !== undefined,
    ...(inputs.attention_mask ? { attentionMask: integers(inputs.attention_mask) } : {}),
    ...(inputs.position_ids ? { positionIds: integers(inputs.position_ids) } : {}),
  };
}

function compareTower(ours: CLIPTowerOutputs, theirs: Tower, name: string): void {
  relativeTo(every(ours.lastHiddenState.dataSync()), theirs.lastHiddenState, 1e-4, `${name}: last hidden state`);
  relativeTo(every(ours.poolerOutput.dataSync()), theirs.poolerOutput, 1e-4, `${name}: pooler output`);
  for (const [states, expected, what] of [[ours.hiddenStates!, theirs.hiddenStates, 'hidden state'], [ours.attentions!, theirs.attentions, 'attention']] as const) {
    assert.equal(states.length, expected.length, what);
    for (const [i, values] of expected.entries()) relativeTo(every(states[i].dataSync()), values, 1e-4, `${name}: ${what} ${i}`);
  }
}

const dispose = (...things: object[]): void => { tf.dispose(things as never); };

describe('CLIP', () => {
  for (const expected of cases) {
    const { inputs, images, names, config } = expected;
    it(`equals transformers' with ${inputs.input_ids.length} texts of ${inputs.input_ids[0].length}, ${images} pictures and ${names ? JSON.stringify(config) : 'the size of ViT-B/32'}`, () => {
      const before = tensorCount();
      const model = build(expected), given = inputsOf(expected, model);
      if (names) assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), names.sort());
      const outputs = model.forward({ ...given, outputHiddenStates: true, outputAttentions: true });
      relativeTo(outputs.logitsPerImage.dataSync(), expected.logitsPerImage, 1e-4, 'logits per image');
      relativeTo(outputs.logitsPerText.dataSync(), expected.logitsPerText, 1e-4, 'logits per text');
      relativeTo(every(outputs.imageEmbeds.dataSync()), expected.imageEmbeds, 1e-4, 'image embeddings');
      relativeTo(every(outputs.textEmbeds.dataSync()), expected.textEmbeds, 1e-4, 'text embeddings');
      compareTower(outputs.textModelOutput, expected.textModelOutput, 'text');
      compareTower(outputs.visionModelOutput, expected.visionModelOutput, 'vision');
      assert.equal(outputs.loss !== undefined, expected.loss !== undefined);
      if (expected.loss) relativeTo(outputs.loss!.dataSync(), [expected.loss], 1e-4, 'loss');
      dispose(outputs, given);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  for (const expected of cases.filter((c) => c.gradients)) {
    it(`gives transformers' gradients of the contrastive loss for every parameter, projectionDim ${String(expected.config.projection_dim)}`, () => {
      const before = tensorCount();
      const model = build(expected), given = inputsOf(expected, model);
      const named = [...model.namedParameters()].filter(([name]) => !name.endsWith('k_proj.bias'));
      assert.deepEqual(named.map(([name]) => name).sort(), Object.keys(expected.gradients!).sort());
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => model.forward(given).loss!) as Scalar, named.map(([, p]) => p.tensor));
      relativeTo(value.dataSync(), [expected.loss!], 1e-4, 'loss');
      for (const [i, [name, parameter]] of named.entries()) {
        parameter.assign(gradients[i]!);
        relativeTo(every(parameter.save(), 24), expected.gradients![name], 1e-3, name);
      }
      dispose(given, value);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  it('gives the features of texts and pictures alone', () => {
    const before = tensorCount();
    const model = build(cases[0]), { pixelValues, inputIds, attentionMask } = inputsOf(cases[0], model);
    const text = model.getTextFeatures({ inputIds, attentionMask }), nhwc = tf.transpose(pixelValues, [0, 2, 3, 1]), image = model.getImageFeatures({ pixelValues: nhwc });
    relativeTo(every(text.poolerOutput.dataSync()), cases[0].textModelOutput.poolerOutput, 1e-4, 'text');
    relativeTo(every(image.poolerOutput.dataSync()), cases[0].visionModelOutput.poolerOutput, 1e-4, 'image');
    assert.deepEqual([text.poolerOutput.shape, image.poolerOutput.shape, text.hiddenStates, image.attentions], [[3, 20], [3, 20], undefined, undefined]);
    dispose(text, image, [nhwc, pixelValues, inputIds, attentionMask!]);
    model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('has the published sizes', () => {
    for (const [size, count] of [['vit-base-patch16', 149_620_737], ['vit-large-patch14', 427_616_513]] as const) {
      // Built with one layer a tower, the others counted from it.
      const options: CLIPOptions = clipSizes[size], layers = options.visionConfig?.numHiddenLayers ?? 12;
      const model = new CLIPModel({ ...options, textConfig: { ...options.textConfig, numHiddenLayers: 1 }, visionConfig: { ...options.visionConfig, numHiddenLayers: 1 } });
      const [text, vision] = [model.text_model, model.vision_model].map(({ encoder }) => encoder.layers[0].parameterCount());
      assert.equal(model.parameterCount() + 11 * text + (layers - 1) * vision, count, size);
      model.dispose();
    }
  });

  it('starts with matching pictures and texts at chance, at OpenAI\'s temperature', () => {
    const model = new CLIPModel(camelCase(cases[0].config) as CLIPOptions), given = inputsOf(cases[0], model), outputs = model.forward(given);
    relativeTo(model.logit_scale.tensor.dataSync(), [Math.log(1 / 0.07)], 1e-4);
    const cosines = Array.from(outputs.logitsPerImage.dataSync(), (v) => v * 0.07);
    assert.ok(cosines.every((v) => Math.abs(v) < 0.9), String(cosines));
    assert.ok(outputs.loss!.dataSync()[0] < 6);
    dispose(given, outputs);
    model.dispose();
  });

  it('reads files with stored position numbers, and no others', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'clip-')), file = path.join(folder, 'model.safetensors');
    const model = build(cases[0]), loaded = new CLIPModel(camelCase(cases[0].config) as CLIPOptions);
    const state = stateOf(model);
    for (const tower of ['text_model', 'vision_model']) state.set(`${tower}.embeddings.position_ids`, { shape: [1, 3], data: BigInt64Array.of(0n, 1n, 2n) });
    writeSafetensors(file, state);
    loadState(loaded, file, clipLoadOptions);
    const theirs = new Map(model.namedParameters());
    for (const [name, parameter] of loaded.namedParameters()) assert.deepEqual(parameter.save(), theirs.get(name)!.save(), name);
    state.delete('logit_scale');
    writeSafetensors(file, state);
    assert.throws(() => loadState(loaded, file, clipLoadOptions), /missing: logit_scale/);
    model.dispose();
    loaded.dispose();
    fs.rmSync(folder, { recursive: true });
  });

  it('refuses texts that are too long, masks of another shape, pixels of another size and a loss of unequal numbers', () => {
    const model = build(cases[0]), { pixelValues, inputIds } = inputsOf(cases[0], model);
    const long = tf.zeros([1, 18], 'int32'), one = tf.zeros([1, 4], 'int32'), mask = tf.ones([3, 4], 'int32'), large = tf.zeros([1, 3, 36, 36]), flat = tf.zeros([4], 'int32');
    const before = tensorCount();
    assert.throws(() => model.forward({ inputIds: long, pixelValues }), /18 positions, but this CLIP has 17/);
    assert.throws(() => model.getTextFeatures({ inputIds, attentionMask: mask }), /attentionMask has the shape \[3,4\]: expected \[3, 11\]/);
    assert.throws(() => model.getTextFeatures({ inputIds: flat }), /inputIds have the shape \[4\]: expected \[batch, positions\]/);
    assert.throws(() => model.getImageFeatures({ pixelValues: large }), /\[1,3,36,36\]: expected \[batch, 3, 35, 35\]/);
    assert.throws(() => model.forward({ inputIds: one, pixelValues, returnLoss: true }), /1 texts and 3 pictures/);
    assert.equal(tensorCount(), before);
    dispose([pixelValues, inputIds, long, one, mask, large, flat]);
    model.dispose();
  });
});
