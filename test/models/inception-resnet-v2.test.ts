import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf } from '../../lib/engine';
import { InceptionResNetV2, load, save, type InceptionResNetV2Config } from '../../lib/models';
import { compareOutputs, compareTraining, pixelsByFormula, type ExpectedOutputs, type ExpectedTraining } from '../convolutional';
import { fillByFormula } from '../formula';
import fixture from '../fixtures/models/inception-resnet-v2.json';

interface Case extends ExpectedOutputs {
  config: { width?: number; repeats?: number[]; num_classes?: number; in_chans?: number }; batch: number; height: number; width: number; names: string[]; training?: ExpectedTraining[];
}
const cases = fixture as unknown as Case[];

function build({ config: { num_classes: numClasses = 1000, in_chans: inChans = 3, ...rest } }: Case): InceptionResNetV2 {
  const model = new InceptionResNetV2({ ...rest, numClasses, inChans } as Partial<InceptionResNetV2Config>);
  fillByFormula(model);
  return model;
}

describe('InceptionResNetV2', () => {
  for (const expected of cases) {
    const { config, batch, height, width } = expected;
    it(`equals timm's on ${height}×${width}: ${JSON.stringify(config)}`, () => {
      const before = tensorCount();
      const model = build(expected);
      assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), [...expected.names].sort());
      const x = pixelsByFormula([batch, config.in_chans ?? 3, height, width]);
      const outputs = model.forward({ pixelValues: x, outputHiddenStates: true });
      compareOutputs(outputs, expected, 48);
      tf.dispose([x, outputs] as never);
      model.dispose();
      assert.equal(tensorCount(), before);
    });

    for (const training of expected.training ?? []) {
      it(`gives timm's gradients of every parameter ${training.buffers ? 'in training, and moves the statistics alike' : 'with the statistics frozen'}`, () => {
        const before = tensorCount();
        const model = build(expected);
        compareTraining(model, training, { count: 6, zero: training.buffers && /^block8\.conv2d\.bias$/ });
        model.dispose();
        assert.equal(tensorCount(), before);
      });
    }
  }

  it('saves and loads a narrow network in timm\'s layout; options nobody knows are refused', () => {
    const before = tensorCount(), folder = fs.mkdtempSync(path.join(os.tmpdir(), 'inception-')), model = build(cases[0]);
    save(folder, { model });
    const json = JSON.parse(fs.readFileSync(path.join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(json, { architecture: 'inception_resnet_v2', num_classes: 5, num_features: 92, model_args: { repeats: [1, 2, 1], width: 0.06, num_classes: 5, global_pool: 'avg' } });
    const loaded = load(folder, { as: InceptionResNetV2 }).model;
    assert.deepEqual(loaded.config, model.config);
    const x = pixelsByFormula([1, 3, 80, 80]), [a, b] = [model, loaded].map((one) => tf.tidy(() => one.forward({ pixelValues: x }).logits.dataSync()));
    assert.deepEqual(a, b);
    fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ ...json, model_args: { output_stride: 16 } }));
    assert.throws(() => load(folder), /config\.json: model_args: .*outputStride/);
    tf.dispose(x);
    model.dispose();
    loaded.dispose();
    fs.rmSync(folder, { recursive: true });
    assert.equal(tensorCount(), before);
  });

  it('refuses pictures that are too small, and leaves nothing behind', () => {
    const model = build(cases[0]), before = tensorCount(), x = tf.zeros([1, 74, 80, 3]);
    assert.throws(() => model.forward({ pixelValues: x, outputHiddenStates: true }), /at least 75×75 pixels; these are 74×80/);
    x.dispose();
    assert.equal(tensorCount(), before);
    model.dispose();
  });

  it('drops features out before the classifier in training only', () => {
    const model = new InceptionResNetV2({ width: 0.03, repeats: [0, 0, 0], numClasses: 4, dropRate: 0.5 });
    const map = tf.ones([1, 2, 2, model.featureSize]) as never;
    const classify = () => tf.tidy(() => model.classifyMap(map).dataSync());
    assert.deepEqual(classify(), classify());
    model.train();
    assert.notDeepEqual(classify(), classify());
    tf.dispose(map);
    model.dispose();
  });
});
