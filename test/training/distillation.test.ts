import assert from 'node:assert/strict';
import { crossEntropy, tensorCount, tf, valueAndGradients, type Scalar, type Tensor, type Tensor1D, type Tensor2D } from '../../lib/engine';
import { distillationLoss, featureDistillation, wordDistillation } from '../../lib/training';
import { closeTo } from '../close-to';
import { formulaValues } from '../formula';
import { every, relativeTo } from '../relative-to';
import fixture from '../fixtures/training/distillation.json';

const byFormula = (name: string, shape: number[], scale = 1): Tensor => tf.tensor(formulaValues(name, shape).map((v) => v * scale), shape);
const logits = (name: string, rows: number, classes: number, scale = 1) => byFormula(name, [rows, classes], scale) as Tensor2D;
/** As scripts/reference/distillation.py: every third row is padding. */
const labelRows = (rows: number, classes: number) =>
  tf.tensor1d(Array.from({ length: rows }, (_, row) => (row % 3 === 2 ? -100 : (7 * row) % classes)), 'int32') as Tensor1D;

describe('wordDistillation', () => {
  for (const { rows, classes, scale, temperature, loss, gradient } of fixture.words) {
    it(`equals PyTorch's KL divergence of ${rows}×${classes} logits at T = ${temperature}, gradient too`, () => {
      const before = tensorCount();
      const [student, teacher] = ['student', 'teacher'].map((name) => logits(name, rows, classes, scale));
      const labels = labelRows(rows, classes);
      const { value, gradients } = valueAndGradients(() => wordDistillation(student, teacher, labels, temperature), [student]);
      relativeTo(value.dataSync(), [loss], 2e-5, 'loss');
      // At T = 20 both distributions are nearly even: PyTorch's own float32 is 1.2e-5 off here, and its loss 5.5e-5.
      relativeTo(every(gradients[0]!.dataSync(), 200), gradient, 5e-5, 'gradient');
      tf.dispose([value, student, teacher, labels, ...gradients] as Tensor[]);
      assert.equal(tensorCount(), before);
    });
  }

  it('is 0 with no gradient where the student says what the teacher says, whatever is added to all logits', () => {
    const teacher = logits('teacher', 5, 9, 3), student = tf.add(teacher, 2) as Tensor2D, labels = labelRows(5, 9);
    const { value, gradients: [gradient] } = valueAndGradients(() => wordDistillation(student, teacher, labels, 2), [student]);
    closeTo(value.dataSync(), [0], 1e-6);
    closeTo(gradient!.dataSync(), new Float32Array(45), 1e-6);
    tf.dispose([teacher, student, labels, value, gradient!]);
  });

  it('becomes, for a high temperature, half the mean squared difference of the centred logits', () => {
    const [student, teacher, labels] = [logits('student', 7, 30), logits('teacher', 7, 30), labelRows(7, 30)];
    const limit = tf.tidy(() => {
      const centred = (x: Tensor2D) => tf.sub(x, tf.mean(x, 1, true));
      const rows = tf.mean(tf.squaredDifference(centred(student), centred(teacher)), 1);
      const counted = tf.cast(tf.notEqual(labels, -100), 'float32');
      return tf.div(tf.sum(tf.mul(rows, counted)), tf.mul(2, tf.sum(counted))).dataSync()[0];
    });
    const at = (temperature: number) => tf.tidy(() => wordDistillation(student, teacher, labels, temperature).dataSync()[0]);
    relativeTo([at(300)], [limit], 0.01);
    const off = [1, 10, 300].map((temperature) => Math.abs(at(temperature) - limit));
    assert.ok(off[2] < off[1] / 3 && off[1] < off[0], String(off));
    tf.dispose([student, teacher, labels]);
  });

  it('leaves padding out: what stands there changes neither loss nor gradient', () => {
    const [student, teacher, labels] = [logits('student', 6, 8), logits('teacher', 6, 8), labelRows(6, 8)];
    const padded = tf.expandDims(tf.cast(tf.equal(labels, -100), 'float32'), 1);
    const other = tf.add(student, tf.mul(padded, byFormula('noise', [6, 8], 50))) as Tensor2D;
    const run = (x: Tensor2D) => tf.tidy(() => {
      const { value, gradients } = valueAndGradients(() => wordDistillation(x, teacher, labels, 5), [x]);
      return Array.from([...value.dataSync(), ...gradients[0]!.dataSync()], (v) => v + 0); // −0 is 0
    });
    assert.deepEqual(run(other), run(student));
    assert.deepEqual(run(student).slice(1 + 2 * 8, 1 + 3 * 8), Array.from({ length: 8 }, () => 0));
    tf.dispose([student, teacher, labels, padded, other]);
  });

  it('refuses a teacher of other words and a temperature of 0', () => {
    const [student, teacher, labels] = [logits('student', 4, 8), logits('teacher', 4, 9), labelRows(4, 8)], before = tensorCount();
    const shapes = /student's logits have the shape \[4, 8\], the teacher's \[4, 9\].*same vocabulary/;
    assert.throws(() => wordDistillation(student, teacher, labels, 5), shapes);
    assert.throws(() => wordDistillation(student, student, labels, 0), /temperature is 0: expected a number above 0/);
    assert.equal(tensorCount(), before);
    tf.dispose([student, teacher, labels]);
  });
});

describe('featureDistillation', () => {
  for (const { shape, loss, gradient } of fixture.features) {
    it(`equals PyTorch's mean squared error of ${shape.join('×')} features, gradient too`, () => {
      const before = tensorCount();
      const [student, teacher] = [byFormula('studentFeatures', shape), byFormula('teacherFeatures', shape)];
      const { value, gradients } = valueAndGradients(() => featureDistillation(student, teacher), [student]);
      relativeTo(value.dataSync(), [loss], 1e-5, 'loss');
      relativeTo(every(gradients[0]!.dataSync(), 200), gradient, 1e-5, 'gradient');
      tf.dispose([value, student, teacher, ...gradients] as Tensor[]);
      assert.equal(tensorCount(), before);
    });
  }

  it('refuses grids of different shapes', () => {
    const [five, seven] = [tf.zeros([2, 25, 8]), tf.zeros([2, 49, 8])];
    assert.throws(() => featureDistillation(five, seven), /features have the shape \[2, 25, 8\], the teacher's \[2, 49, 8\].*same grid/);
    tf.dispose([five, seven]);
  });
});

describe('distillationLoss', () => {
  const rows = 9, inputs = 6, features = 5, classes = 12;
  for (const { beta, temperature, encoderWeight, decoderWeight, loss, gradients: expected } of fixture.whole) {
    it(`equals PyTorch's with β ${beta}, T ${temperature}, weights ${encoderWeight} and ${decoderWeight}, gradients too`, () => {
      const before = tensorCount();
      const pixels = byFormula('pixels', [rows, inputs]);
      const [encoder, decoder] = [byFormula('encoder', [inputs, features]), byFormula('decoder', [features, classes])];
      const [grid, words] = [byFormula('teacherFeatures', [rows, features]), logits('teacher', rows, classes)];
      const labels = labelRows(rows, classes);
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => {
        const student = tf.matMul(pixels as Tensor2D, encoder as Tensor2D), spoken = tf.matMul(student, decoder as Tensor2D) as Tensor2D;
        return distillationLoss({
          task: () => crossEntropy(spoken, labels), encoder: () => featureDistillation(student, grid),
          decoder: () => wordDistillation(spoken, words, labels, temperature),
        }, { beta, temperature, encoderWeight, decoderWeight });
      }), [encoder, decoder]);
      relativeTo(value.dataSync(), [loss], 2e-5, 'loss');
      for (const [i, gradient] of gradients.entries()) {
        // What no term depends on has no gradient here, and one of zeros in PyTorch.
        relativeTo(gradient ? every(gradient.dataSync(), 100) : expected[i].map(() => 0), expected[i], 2e-5, `gradient ${i}`);
      }
      tf.dispose([pixels, encoder, decoder, grid, words, labels, value, ...gradients.flatMap((g) => g ?? [])]);
      assert.equal(tensorCount(), before);
    });
  }

  const called: string[] = [];
  const term = (name: string, value: number) => (): Scalar => { called.push(name); return tf.scalar(value); };
  const terms = { task: term('task', 2), encoder: term('encoder', 3), decoder: term('decoder', 5) };
  const both = { temperature: 5, encoderWeight: 1, decoderWeight: 1 };
  const run = (options: Parameters<typeof distillationLoss>[1]) => {
    called.length = 0;
    return tf.tidy(() => distillationLoss(terms, options).dataSync()[0]);
  };

  it('is the task alone at β = 0, the teacher alone at β = 1, and computes nothing that has no weight', () => {
    assert.equal(run({ ...both, beta: 0 }), 2);
    assert.deepEqual(called, ['task']);
    assert.equal(run({ ...both, beta: 1 }), 8);
    assert.deepEqual(called, ['encoder', 'decoder']);
    closeTo([run({ ...both, beta: 0.25, encoderWeight: 0, decoderWeight: 2 })], [0.75 * 2 + 0.25 * 2 * 5], 1e-6);
    assert.deepEqual(called, ['task', 'decoder']);
  });

  it('refuses weights out of range, and a loss of nothing', () => {
    assert.throws(() => run({ ...both, beta: 1.5 }), /beta is 1.5: expected a share/);
    assert.throws(() => run({ ...both, beta: 0.5, encoderWeight: -1 }), /encoderWeight is -1/);
    assert.throws(() => run({ ...both, beta: 1, encoderWeight: 0, decoderWeight: 0 }), /Nothing is left to learn/);
  });
});
