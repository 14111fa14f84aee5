import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { loadTimmViT, ViTForImageClassification, ViTModel, vitSizes, type ViTConfig, type ViTOutputs } from '../../lib/models';
import { writeSafetensors } from '../../lib/weights';
import { fillByFormula, formulaValues } from '../formula';
import { every, relativeTo } from '../relative-to';
import fixture from '../fixtures/models/vit.json';

interface Case { hiddenStates: number[][]; attentions: number[][]; lastHiddenState?: number[]; poolerOutput?: number[]; logits?: number[] }

/** The fixture's config.json keys in camelCase. */
const camelCase = (config: object): Partial<ViTConfig> =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), value]));

function pixels(batch: number, config: ViTConfig): Tensor {
  const shape = [batch, config.numChannels, config.imageSize, config.imageSize];
  return tf.tensor(formulaValues('pixels', shape), shape);
}

function compare(outputs: ViTOutputs & { logits?: Tensor }, expected: Case): void {
  const compareOne = (tensor: Tensor, values: number[], what: string) => relativeTo(every(tensor.dataSync()), values, 1e-4, what);
  assert.equal(outputs.hiddenStates!.length, expected.hiddenStates.length);
  for (const [i, values] of expected.hiddenStates.entries()) compareOne(outputs.hiddenStates![i], values, `hidden state ${i}`);
  for (const [i, values] of expected.attentions.entries()) compareOne(outputs.attentions![i], values, `attention ${i}`);
  if (expected.lastHiddenState) compareOne(outputs.lastHiddenState, expected.lastHiddenState, 'last hidden state');
  if (expected.logits) relativeTo(outputs.logits!.dataSync(), expected.logits, 1e-4, 'logits');
  assert.equal(outputs.poolerOutput !== undefined, expected.poolerOutput !== undefined);
  if (expected.poolerOutput) relativeTo(outputs.poolerOutput!.dataSync(), expected.poolerOutput, 1e-4, 'pooler output');
}

function dispose(outputs: object): void { tf.dispose(outputs as never); }

function small(): ViTForImageClassification {
  const model = new ViTForImageClassification(camelCase(fixture.classifiers[0].config), 5);
  fillByFormula(model);
  return model;
}

describe('ViT', () => {
  for (const expected of fixture.classifiers) {
    const { config, classes, batch, names } = expected;
    it(`equals transformers' classifier ${names ? `with ${JSON.stringify(config)}` : 'at the size of ViT-B/16, 224 pixels'}`, () => {
      const before = tensorCount();
      const model = new ViTForImageClassification(camelCase(config), classes!);
      if (names) assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), names.sort());
      fillByFormula(model);
      const x = pixels(batch, model.config);
      const outputs = model.forward({ pixelValues: x, outputHiddenStates: true, outputAttentions: true });
      compare(outputs, expected);
      dispose(outputs);
      x.dispose();
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  for (const expected of fixture.models) {
    const pooler = 'poolerOutput' in expected;
    it(`equals transformers' ViTModel ${pooler ? 'with' : 'without'} pooler`, () => {
      const model = new ViTModel(camelCase(expected.config), undefined, { pooler });
      assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), expected.names!.sort());
      fillByFormula(model);
      const x = pixels(expected.batch, model.config);
      const outputs = model.forward({ pixelValues: x, outputHiddenStates: true, outputAttentions: true });
      compare(outputs, expected);
      dispose(outputs);
      x.dispose();
      model.dispose();
    });
  }

  it('gives transformers\' loss and gradients of every parameter', () => {
    const { labels: ids, loss, gradients: expected, batch } = fixture.classifiers[0] as (typeof fixture.classifiers)[0] & { labels: number[] };
    const before = tensorCount();
    const model = small(), x = pixels(batch, model.config), labels = tf.tensor1d(ids, 'int32');
    const named = [...model.namedParameters()].filter(([name]) => !name.endsWith('key.bias'));
    const { value, gradients } = valueAndGradients(() => tf.tidy(() => model.forward({ pixelValues: x, labels }).loss!) as Scalar, named.map(([, p]) => p.tensor));
    relativeTo(value.dataSync(), [loss!], 1e-4, 'loss');
    assert.deepEqual(named.map(([name]) => name).sort(), Object.keys(expected!).sort());
    for (const [i, [name, parameter]] of named.entries()) {
      parameter.assign(gradients[i]!);
      relativeTo(every(parameter.save(), 24), expected![name as keyof typeof expected], 1e-3, name);
    }
    tf.dispose([x, labels, value]);
    model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('takes pixels in either order of axes and refuses other shapes', () => {
    const model = small(), nchw = pixels(1, model.config), nhwc = tf.transpose(nchw, [0, 2, 3, 1]), wrong = tf.zeros([1, 3, 36, 36]);
    const [a, b] = [model.forward({ pixelValues: nchw }), model.forward({ pixelValues: nhwc })];
    assert.deepEqual(a.logits.dataSync(), b.logits.dataSync());
    assert.equal(a.hiddenStates, undefined);
    const before = tensorCount();
    assert.throws(() => model.forward({ pixelValues: wrong }), /\[1,3,36,36\]: expected \[batch, 3, 35, 35\] or \[batch, 35, 35, 3\]/);
    assert.equal(tensorCount(), before);
    dispose(a);
    dispose(b);
    tf.dispose([nchw, nhwc, wrong]);
    model.dispose();
  });

  it('reads timm\'s names and gives timm\'s features and logits', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'vit-')), file = path.join(folder, 'model.safetensors');
    const tensors = new Map((fixture.timm.names as [string, number[]][]).map(([name, shape]) => [name, { shape, data: formulaValues(name, shape) }]));
    writeSafetensors(file, tensors);
    const model = new ViTForImageClassification({ ...camelCase(fixture.classifiers[0].config), layerNormEps: 1e-6 }, 5);
    loadTimmViT(model, file);
    const x = pixels(fixture.classifiers[0].batch, model.config), outputs = model.forward({ pixelValues: x });
    relativeTo(every(outputs.lastHiddenState.dataSync()), fixture.timm.features, 1e-4, 'features');
    relativeTo(outputs.logits.dataSync(), fixture.timm.logits, 1e-4, 'logits');
    const held = model.classifier.bias!.save();
    tensors.delete('blocks.1.attn.qkv.bias');
    tensors.set('dist_token', { shape: [1], data: Float32Array.of(0) });
    tensors.set('head.bias', { shape: [4], data: new Float32Array(4) });
    writeSafetensors(file, tensors);
    assert.throws(() => loadTimmViT(model, file), /missing: vit\.encoder\.layer\.1\.attention\.attention\.query\.bias.*unexpected: dist_token; wrong shape: classifier\.bias is \[4\] instead of \[5\]/);
    assert.deepEqual(model.classifier.bias!.save(), held);
    dispose(outputs);
    x.dispose();
    model.dispose();
    fs.rmSync(folder, { recursive: true });
  });

  it('has the published sizes', () => {
    const model = new ViTForImageClassification({ ...vitSizes.small, layerNormEps: 1e-6 }, 1000);
    assert.equal(model.parameterCount(), 22_050_664);
    model.dispose();
  });
});
