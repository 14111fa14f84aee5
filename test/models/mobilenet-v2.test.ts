import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import sharp from 'sharp';
import { tensorCount, tf, type Tensor } from '../../lib/engine';
import { huggingFaceToTorchvision, load, MobileNetV2, save, timmToTorchvision, torchvisionToHuggingFace, torchvisionToTimm } from '../../lib/models';
import { inProject } from '../../lib/project';
import { closeTo } from '../close-to';
import { compareOutputs, compareTraining, pixelsByFormula, type ExpectedTraining } from '../convolutional';
import { fillByFormula } from '../formula';
import fixture from '../fixtures/models/mobilenet-v2.json';

function build(width: number, classes: number, library: 'torchvision' | 'transformers'): MobileNetV2 {
  const model = new MobileNetV2({ widthMultiplier: width, numClasses: classes, dropout: 0, ...(library === 'transformers' ? { tfPadding: true, batchNormEpsilon: 1e-3 } : {}) });
  fillByFormula(model, library === 'transformers' ? torchvisionToHuggingFace : undefined);
  return model;
}

const logitsOf = (model: MobileNetV2, pixelValues: Tensor): Tensor => tf.tidy(() => model.forward({ pixelValues }).logits);

describe('MobileNetV2', () => {
  for (const library of ['torchvision', 'transformers'] as const) {
    for (const { width, classes, shape, ...expected } of fixture[library]) {
      it(`equals ${library} at width ${width}, ${shape.slice(2).join('×')}: hidden states, feature map and logits`, () => {
        const before = tensorCount();
        const model = build(width, classes, library);
        const x = pixelsByFormula(shape);
        const outputs = model.forward({ pixelValues: x, outputHiddenStates: true });
        compareOutputs(outputs, expected);
        tf.dispose([x, outputs] as never);
        model.dispose();
        assert.equal(tensorCount(), before);
      });
    }
  }

  for (const training of fixture.training as unknown as ExpectedTraining[]) {
    it(`gives torchvision's gradients of every parameter ${training.buffers ? 'in training, and moves the statistics alike' : 'with the statistics frozen'}`, () => {
      const before = tensorCount();
      const model = build(0.35, 7, 'torchvision');
      // A projection has no activation before the next convolution and norm.
      compareTraining(model, training, { count: 6, zero: training.buffers && /\.conv\.(3|(?<=features\.1\.conv\.)2)\.bias$/ });
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  it('drops features out before the classifier in training only', () => {
    const model = new MobileNetV2({ widthMultiplier: 0.35, numClasses: 4, dropout: 0.5 }), map = tf.ones([1, 2, 2, model.featureSize]) as never;
    const classify = () => tf.tidy(() => model.classifyMap(map).dataSync());
    assert.deepEqual(classify(), classify());
    model.train();
    assert.notDeepEqual(classify(), classify());
    tf.dispose(map);
    model.dispose();
  });

  it('translates every name to Hugging Face\'s and timm\'s, and back', () => {
    const model = new MobileNetV2({ widthMultiplier: 0.35, numClasses: 3 });
    for (const [name] of model.namedParameters()) {
      const theirs = torchvisionToHuggingFace(name);
      assert.match(theirs, /^(mobilenet_v2\.|classifier\.)/);
      assert.equal(huggingFaceToTorchvision(theirs), name);
      assert.notEqual(torchvisionToTimm(name), name);
      assert.equal(timmToTorchvision(torchvisionToTimm(name)), name);
    }
    model.dispose();
  });

  it('saves a folder that loads to the same logits, labels included', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mobilenet-'));
    const model = build(0.35, 3, 'transformers'), x = pixelsByFormula([1, 3, 64, 64]), id2label = { 0: 'a', 1: 'b', 2: 'c' };
    save(folder, { model, config: { id2label } });
    const loaded = load(folder, { as: MobileNetV2 });
    assert.deepEqual(loaded.config!.id2label, id2label);
    assert.deepEqual(loaded.model.config, model.config);
    const [a, b] = [model, loaded.model].map((one) => logitsOf(one, x));
    assert.deepEqual(a.dataSync(), b.dataSync());
    const other = new MobileNetV2({ numClasses: 2, stages: [[1, 16, 1, 1], [6, 24, 2, 2]] });
    assert.throws(() => save(folder, { model: other }), /no place for other stages/);
    tf.dispose([x, a, b]);
    for (const one of [model, loaded.model, other]) one.dispose();
    fs.rmSync(folder, { recursive: true });
  });

  it('classifies photographs with ImageNet weights as their page says', async function test() {
    const folder = process.env.MOBILENET_V2_DIR ? inProject(process.env.MOBILENET_V2_DIR) : inProject('..', 'shared', 'weights', 'mobilenet_v2');
    if (!fs.existsSync(path.join(folder, 'samples', 'labels.csv'))) {
      console.log('      (skipped: set MOBILENET_V2_DIR to a MobileNetV2 folder with samples/labels.csv)');
      return this.skip();
    }
    const { model } = load(folder, { as: MobileNetV2 });
    const rows = fs.readFileSync(path.join(folder, 'samples', 'labels.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(','));
    const pictures = await Promise.all(rows.map(([file]) => sharp(path.join(folder, 'samples', file)).raw().toBuffer()));
    const x = tf.tensor4d(Float32Array.from(Buffer.concat(pictures), (v) => v / 127.5 - 1), [rows.length, 224, 224, 3]);
    const logits = logitsOf(model, x), top = tf.topk(logits, 5);
    const [indices, values] = [top.indices.arraySync() as number[][], top.values.arraySync() as number[][]];
    // Class 0 is background: ImageNet's index plus 1.
    const classes = rows.map(([, , index]) => Number(index) + 1);
    assert.equal(indices.filter((five, i) => five[0] === classes[i]).length, 78);
    assert.equal(indices.filter((five, i) => five.includes(classes[i])).length, 99);
    const tench = rows.findIndex(([file]) => file === 'n01440764_tench.jpg');
    assert.deepEqual(indices[tench], [1, 2, 390, 30, 392]);
    closeTo(values[tench], [9.518, 5.851, 4.9709, 3.761, 3.6725], 1e-4);
    tf.dispose([x, logits, top.indices, top.values]);
    model.dispose();
  });
});
