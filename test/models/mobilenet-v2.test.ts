import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import sharp from 'sharp';
import { crossEntropy, tensorCount, tf, valueAndGradients, type Scalar, type Tensor1D, type Tensor2D, type Tensor4D } from '../../lib/engine';
import { huggingFaceToTorchvision, loadMobileNetV2, MobileNetV2, saveMobileNetV2, torchvisionToHuggingFace } from '../../lib/models';
import { inProject } from '../../lib/project';
import { closeTo } from '../close-to';
import { fillByFormula, formulaValues } from '../formula';
import fixture from '../fixtures/models/mobilenet-v2.json';

const every = (values: ArrayLike<number>, count = 64): number[] => {
  const step = Math.max(1, Math.floor(values.length / count));
  return Array.from(values).filter((_, i) => i % step === 0);
};

const pixels = (batch: number, size: number, name = 'pixels'): Tensor4D =>
  tf.tidy(() => tf.transpose(tf.tensor4d(formulaValues(name, [batch, 3, size, size]), [batch, 3, size, size]), [0, 2, 3, 1]));

function build(width: number, classes: number, library: 'torchvision' | 'transformers'): MobileNetV2 {
  const model = new MobileNetV2({ widthMultiplier: width, numClasses: classes, ...(library === 'transformers' ? { tfPadding: true, batchNormEpsilon: 1e-3 } : {}) });
  fillByFormula(model, library === 'transformers' ? torchvisionToHuggingFace : undefined);
  return model;
}

describe('MobileNetV2', () => {
  for (const library of ['torchvision', 'transformers'] as const) {
    for (const { width, size, classes, batch, featureShape, features, logits } of fixture[library]) {
      it(`equals ${library} at width ${width}, ${size}×${size}: feature map and logits`, () => {
        const model = build(width, classes, library);
        const x = pixels(batch, size);
        const map = model.featureMap(x), y = model.forward(x);
        assert.deepEqual(map.shape, featureShape);
        closeTo(every(map.dataSync()), features, 1e-4, 'features');
        closeTo(y.dataSync(), logits, 1e-4, 'logits');
        tf.dispose([x, map, y]);
        model.dispose();
      });
    }
  }

  it('gives torchvision\'s gradients', () => {
    const before = tensorCount();
    const model = build(0.35, 7, 'torchvision');
    const x = pixels(1, 33, fixture.training.inputs), labels = tf.tensor1d([3], 'int32');
    const named = new Map(model.namedParameters());
    const wanted = Object.entries(fixture.training.gradients);
    const parameters = wanted.map(([name]) => named.get(name)!);
    const { value, gradients } = valueAndGradients(() => tf.tidy(() => crossEntropy(model.forward(x) as Tensor2D, labels as Tensor1D)) as Scalar, parameters.map((p) => p.tensor));
    closeTo(value.dataSync(), [fixture.training.loss], 1e-4, 'loss');
    for (const [i, [name, expected]] of wanted.entries()) {
      parameters[i].assign(gradients[i]!);
      closeTo(every(parameters[i].save()), expected, 1e-3, name);
    }
    tf.dispose([x, labels, value]);
    model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('translates every name to Hugging Face\'s and back', () => {
    const model = new MobileNetV2({ widthMultiplier: 0.35, numClasses: 3 });
    for (const [name] of model.namedParameters()) {
      const theirs = torchvisionToHuggingFace(name);
      assert.match(theirs, /^(mobilenet_v2\.|classifier\.)/);
      assert.equal(huggingFaceToTorchvision(theirs), name);
    }
    model.dispose();
  });

  it('saves a folder that loads to the same logits', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mobilenet-'));
    const model = build(0.35, 7, 'transformers'), x = pixels(1, 64);
    saveMobileNetV2(model, folder, { labels: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] });
    const loaded = loadMobileNetV2(folder);
    const [a, b] = [model.forward(x), loaded.forward(x)];
    assert.deepEqual(Array.from(a.dataSync()), Array.from(b.dataSync()));
    tf.dispose([x, a, b]);
    model.dispose();
    loaded.dispose();
    fs.rmSync(folder, { recursive: true });
  });

  it('classifies photographs with ImageNet weights as their page says', async function test() {
    const folder = process.env.MOBILENET_V2_DIR ? inProject(process.env.MOBILENET_V2_DIR) : inProject('..', 'shared', 'weights', 'mobilenet_v2');
    if (!fs.existsSync(path.join(folder, 'samples', 'labels.csv'))) {
      console.log('      (skipped: set MOBILENET_V2_DIR to a MobileNetV2 folder with samples/labels.csv)');
      return this.skip();
    }
    const model = loadMobileNetV2(folder);
    const rows = fs.readFileSync(path.join(folder, 'samples', 'labels.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(','));
    const pictures = await Promise.all(rows.map(([file]) => sharp(path.join(folder, 'samples', file)).raw().toBuffer()));
    const x = tf.tensor4d(Float32Array.from(Buffer.concat(pictures), (v) => v / 127.5 - 1), [rows.length, 224, 224, 3]);
    const logits = model.forward(x), top = tf.topk(logits, 5);
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
