import assert from 'node:assert/strict';
import { tensorCount, tf, type Tensor4D } from '../../lib/engine';
import { huggingFaceToResNet, ResNet, resNetDefaults, resNetSizes, resNetToHuggingFace, type ResNetConfig } from '../../lib/models';
import { compareOutputs, compareTraining, pixelsByFormula, type ExpectedOutputs, type ExpectedTraining } from '../convolutional';
import { fillByFormula } from '../formula';
import { relativeTo } from '../relative-to';
import fixture from '../fixtures/models/resnet.json';

interface Case extends ExpectedOutputs { config: Record<string, unknown>; batch: number; height: number; width: number; names: string[]; training?: ExpectedTraining[] }
const cases = fixture.transformers as unknown as Case[];

function build({ config }: Case): ResNet {
  const camelCase = Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), value]));
  const model = new ResNet(camelCase as Partial<ResNetConfig>);
  fillByFormula(model, resNetToHuggingFace);
  return model;
}

describe('ResNet', () => {
  for (const expected of cases) {
    const { config, batch, height, width } = expected;
    it(`equals transformers' on ${height}×${width}: ${JSON.stringify(config)}`, () => {
      const before = tensorCount();
      const model = build(expected);
      assert.deepEqual([...model.namedParameters()].map(([name]) => resNetToHuggingFace(name)).sort(), [...expected.names].sort());
      for (const [name] of model.namedParameters()) assert.equal(huggingFaceToResNet(resNetToHuggingFace(name)), name);
      const x = pixelsByFormula([batch, config.num_channels as number, height, width]);
      const outputs = model.forward({ pixelValues: x, outputHiddenStates: true });
      compareOutputs(outputs, expected);
      tf.dispose([x, outputs] as never);
      model.dispose();
      assert.equal(tensorCount(), before);
    });

    for (const training of expected.training ?? []) {
      it(`gives its gradients of every parameter ${training.buffers ? 'in training, and moves the statistics alike' : 'with the statistics frozen'} (${config.layer_type})`, () => {
        const before = tensorCount();
        const model = build(expected);
        compareTraining(model, training, { rename: resNetToHuggingFace });
        model.dispose();
        assert.equal(tensorCount(), before);
      });
    }
  }

  it('equals torchvision\'s ResNet-101 at 224×224, with its names, which timm shares', () => {
    const model = new ResNet(resNetSizes.resnet101);
    fillByFormula(model);
    assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), [...fixture.resnet101.names].sort());
    const x = pixelsByFormula([1, 3, 224, 224]);
    const outputs = model.forward({ pixelValues: x, outputHiddenStates: true });
    compareOutputs(outputs, fixture.resnet101);
    tf.dispose([x, outputs] as never);
    model.dispose();
  });

  it('takes pixels in either layout and answers in the same', () => {
    const model = build(cases[0]), before = tensorCount();
    const nchw = pixelsByFormula([2, 3, 40, 52]), nhwc = tf.transpose(nchw, [0, 2, 3, 1]);
    const [a, b] = [nchw, nhwc].map((pixelValues) => model.forward({ pixelValues, outputHiddenStates: true }));
    assert.deepEqual(a.lastHiddenState.shape, [2, 36, 2, 2]);
    assert.deepEqual(b.lastHiddenState.shape, [2, 2, 2, 36]);
    assert.deepEqual(b.hiddenStates!.map(({ shape }) => shape), [[2, 10, 13, 9], [2, 10, 13, 12], [2, 5, 7, 20], [2, 3, 4, 28], [2, 2, 2, 36]]);
    assert.deepEqual(a.logits.dataSync(), b.logits.dataSync());
    const back = tf.transpose(b.lastHiddenState, [0, 3, 1, 2]), map = model.featureMap(nhwc);
    assert.deepEqual(a.lastHiddenState.dataSync(), back.dataSync());
    assert.deepEqual(map.dataSync(), b.lastHiddenState.dataSync());
    const logits = model.classifyMap(map);
    relativeTo(logits.dataSync(), a.logits.dataSync(), 1e-6);
    tf.dispose([nchw, nhwc, a, b, back, map, logits] as never);
    assert.equal(tensorCount(), before);
    model.dispose();
  });

  it('gives the map after any stage, and from there the last one', () => {
    const model = build(cases[0]), before = tensorCount();
    const x = tf.tidy(() => tf.transpose(pixelsByFormula([2, 3, 40, 52]), [0, 2, 3, 1])) as Tensor4D, whole = model.featureMap(x);
    const outputs = model.forward({ pixelValues: x, outputHiddenStates: true });
    for (const count of [1, 2, 3, 4]) {
      const map = model.mapAfter(x, count), last = model.mapFrom(map, count);
      assert.deepEqual(map.dataSync(), outputs.hiddenStates![count].dataSync());
      assert.deepEqual(last.dataSync(), whole.dataSync());
      tf.dispose([map, last]);
    }
    tf.dispose([x, whole, outputs] as never);
    assert.equal(tensorCount(), before);
    model.dispose();
  });

  it('refuses pixels of another number of channels, labels for another batch, other numbers of stages; nothing stays behind', () => {
    const model = build(cases[0]), before = tensorCount();
    const [four, three, labels] = [tf.zeros([1, 40, 40, 4]), tf.zeros([2, 40, 40, 3]), tf.zeros([3], 'int32')];
    assert.throws(() => model.forward({ pixelValues: four }), /\[1,40,40,4\]: expected \[batch, 3, height, width\] or \[batch, height, width, 3\]/);
    assert.throws(() => model.forward({ pixelValues: three, labels }), /labels have the shape \[3\]: expected \[2\]/);
    assert.throws(() => new ResNet({ depths: [1, 2, 3] }), /4 stages.*depths 3/);
    tf.dispose([four, three, labels]);
    assert.equal(tensorCount(), before);
    model.dispose();
  });

  it('has the published sizes', () => {
    const counts = { resnet18: 11_689_512, resnet50: 25_557_032 };
    for (const [name, count] of Object.entries(counts)) {
      const model = new ResNet({ ...resNetDefaults, ...resNetSizes[name as keyof typeof resNetSizes] });
      assert.equal(model.parameterCount(), count, name);
      model.dispose();
    }
  });
});
