import assert from 'node:assert/strict';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { DeiT3, deit3Sizes, type DeiT3Config } from '../../lib/models';
import { fillByFormula, formulaValues } from '../formula';
import { every, relativeTo } from '../relative-to';
import fixture from '../fixtures/models/deit3.json';

interface Case {
  config: Record<string, number>; batch: number; names: string[]; lastHiddenState: number[]; logits: number[]; hiddenStates: number[][]; attentions: number[][];
  labels?: number[]; loss?: number; gradients?: Record<string, number[]>;
}
const cases = fixture as unknown as Case[];

function build({ config }: Case): DeiT3 {
  const camelCase = Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), value]));
  const model = new DeiT3(camelCase as Partial<DeiT3Config>);
  fillByFormula(model);
  return model;
}

function pixels(batch: number, { inChans, imgSize }: DeiT3Config): Tensor {
  const shape = [batch, inChans, imgSize, imgSize];
  return tf.tensor(formulaValues('pixels', shape), shape);
}

describe('DeiT-III', () => {
  for (const expected of cases) {
    it(`equals timm's deit3_base_patch16_224 with ${JSON.stringify(expected.config)}`, () => {
      const before = tensorCount();
      const model = build(expected);
      assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), [...expected.names].sort());
      const x = pixels(expected.batch, model.config);
      const outputs = model.forward({ pixelValues: x, outputHiddenStates: true, outputAttentions: true });
      for (const [theirs, ours, what] of [[expected.hiddenStates, outputs.hiddenStates!, 'hidden state'], [expected.attentions, outputs.attentions!, 'attention']] as const) {
        assert.equal(ours.length, theirs.length, what);
        for (const [i, values] of theirs.entries()) relativeTo(every(ours[i].dataSync()), values, 1e-4, `${what} ${i}`);
      }
      relativeTo(every(outputs.lastHiddenState.dataSync()), expected.lastHiddenState, 1e-4, 'last hidden state');
      relativeTo(outputs.logits.dataSync(), expected.logits, 1e-4, 'logits');
      tf.dispose(outputs as never);
      x.dispose();
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  it('gives timm\'s gradients of every parameter', () => {
    const [expected] = cases;
    const before = tensorCount();
    const model = build(expected), x = pixels(expected.batch, model.config), labels = tf.tensor1d(expected.labels!, 'int32');
    const named = [...model.namedParameters()];
    const { value, gradients } = valueAndGradients(() => tf.tidy(() => model.forward({ pixelValues: x, labels }).loss!) as Scalar, named.map(([, p]) => p.tensor));
    relativeTo(value.dataSync(), [expected.loss!], 1e-4, 'loss');
    assert.equal(named.length, Object.keys(expected.gradients!).length);
    for (const [i, [name, parameter]] of named.entries()) {
      parameter.assign(gradients[i]!);
      relativeTo(every(parameter.save(), 24), expected.gradients![name], 1e-3, name);
    }
    tf.dispose([x, labels, value]);
    model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('has the published sizes', () => {
    const model = new DeiT3(deit3Sizes.small);
    assert.equal(model.parameterCount(), 22_059_496);
    model.dispose();
  });
});
