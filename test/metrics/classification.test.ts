import assert from 'node:assert/strict';
import { classificationReport, groupAccuracy, mostConfused, rocCurve, ThresholdClassifier } from '../../lib/metrics';
import fixture from '../fixtures/metrics/classification.json';

/** NaN and infinities are texts in the fixture. */
const numbers = (values: readonly (number | string)[]): number[] =>
  values.map((value) => (value === 'nan' ? NaN : value === 'inf' ? Infinity : Number(value)));

function same(actual: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (const [i, value] of expected.entries()) {
    assert.ok(Object.is(actual[i], value) || Math.abs(actual[i] - value) < 1e-12, `${what}: [${i}] is ${actual[i]}, expected ${value}`);
  }
}

describe('classificationReport', () => {
  for (const { name, labels, predictions, classes, scores, accuracy, confusion } of fixture.reports) {
    it(`is scikit-learn's: ${name}`, () => {
      const names = Array.from({ length: classes }, (_, i) => `class ${i}`);
      for (const [division, expected] of Object.entries(scores)) {
        const zeroDivision = division === 'nan' ? NaN : Number(division);
        const report = classificationReport(labels, predictions, { classes: names, zeroDivision });
        assert.equal(report.accuracy, accuracy);
        assert.deepEqual(report.confusion, confusion);
        assert.deepEqual(report.classes.map((one) => one.name), names);
        for (const [k, key] of (['precision', 'recall', 'f1'] as const).entries()) {
          same(report.classes.map((one) => one[key]), numbers(expected.classes[k]), `${key}, zero division ${division}`);
          const means = numbers([expected.macro[k], expected.weighted[k]]);
          same([report.macro[key], report.weighted[key]], means, `means of ${key}, ${division}`);
        }
        same(report.classes.map((one) => one.support), numbers(expected.support), 'support');
      }
    });
  }

  it('counts 0 for a share of nothing unless told otherwise', () => {
    const { macro } = classificationReport([0, 1], [0, 0], { classes: ['a', 'b'] });
    same([macro.precision, macro.recall, macro.f1], [0.25, 0.5, 1 / 3], 'means');
  });

  it('says which entry is wrong', () => {
    assert.throws(() => classificationReport([0, 1], [0], { classes: ['a', 'b'] }), /2 labels and 1 predictions/);
    assert.throws(() => classificationReport([], [], { classes: ['a', 'b'] }), /nothing to score/);
    assert.throws(() => classificationReport([0, 2], [0, 1], { classes: ['a', 'b'] }), /label 1 is 2: expected a class from 0 to 1/);
    assert.throws(() => classificationReport([0, 1], [0, 0.5], { classes: ['a', 'b'] }), /prediction 1 is 0.5/);
  });
});

describe('groupAccuracy', () => {
  it('counts every group by itself, levels in rising order', () => {
    assert.deepEqual(groupAccuracy([0, 1, 1, 0, 1], [0, 1, 0, 1, 1], [80, 0, 0, 80, 10]), [
      { group: 0, accuracy: 0.5, count: 2 }, { group: 10, accuracy: 1, count: 1 }, { group: 80, accuracy: 0.5, count: 2 },
    ]);
    assert.deepEqual(groupAccuracy([0, 1], [0, 0], ['b', 'a']).map(({ group }) => group), ['b', 'a']);
    assert.throws(() => groupAccuracy([0, 1], [0, 0], ['b']), /2 labels and 1 groups/);
  });
});

describe('rocCurve', () => {
  for (const { name, labels, scores, auc, dropped, whole } of fixture.curves) {
    it(`is scikit-learn's: ${name}`, () => {
      for (const [dropIntermediate, expected] of [[true, dropped], [false, whole]] as const) {
        const curve = rocCurve(labels, numbers(scores), { dropIntermediate });
        for (const key of ['falsePositiveRate', 'truePositiveRate', 'thresholds'] as const) same(curve[key], numbers(expected[key]), key);
        same([curve.auc], numbers([auc]), 'area');
      }
    });
  }

  it('says which entry is wrong', () => {
    assert.throws(() => rocCurve([0, 2], [0, 1]), /label 1 is 2: expected 0 or 1/);
    assert.throws(() => rocCurve([0, 1], [0, NaN]), /score 1 is NaN/);
  });
});

describe('mostConfused', () => {
  it('has the commonest mistakes first, then those of small classes, and nothing that is right or never happened', () => {
    const report = classificationReport([0, 0, 0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 0, 1, 2, 0], { classes: ['a', 'b', 'c'] });
    const [ab, ba, ca, ac] = [['a', 'b', 2, 0.5], ['b', 'a', 1, 0.5], ['c', 'a', 1, 0.5], ['a', 'c', 1, 0.25]];
    assert.deepEqual(mostConfused(report).map((pair) => Object.values(pair)), [ab, ba, ca, ac]);
    assert.deepEqual(mostConfused(report, 1).map(({ name, takenFor }) => [name, takenFor]), [['a', 'b']]);
  });
});

describe('ThresholdClassifier', () => {
  /** The best accuracy of all thresholds and both directions. */
  const bruteForce = (values: number[], labels: number[]): number => Math.max(...[-Infinity, ...values].flatMap((threshold) => {
    const hits = values.filter((value, i) => (value > threshold ? 1 : 0) === labels[i]).length / values.length;
    return [hits, 1 - hits];
  }));

  it('finds the best threshold and direction, ties between values included', () => {
    let state = 1;
    const draw = (n: number): number => { state = (state * 48271) % 2147483647; return state % n; };
    for (let round = 0; round < 200; round++) {
      const values = Array.from({ length: 1 + draw(12) }, () => draw(6));
      const labels = values.map((value) => (draw(3) === 0 ? draw(2) : value > 2 ? round % 2 : 1 - (round % 2)));
      const fitted = ThresholdClassifier.fit(values, labels), predictions = fitted.predict(values);
      const accuracy = predictions.filter((prediction, i) => prediction === labels[i]).length / values.length;
      assert.equal(accuracy, fitted.accuracy);
      assert.ok(Math.abs(accuracy - bruteForce(values, labels)) < 1e-12, JSON.stringify({ values, labels, fitted }));
    }
  });

  it('cuts halfway and scores in its direction', () => {
    const fitted = ThresholdClassifier.fit([9, 8, 3, 2], [0, 0, 1, 1]);
    assert.deepEqual([fitted.threshold, fitted.above, fitted.accuracy], [5.5, 0, 1]);
    assert.deepEqual([fitted.predict([5.5, 5.6]), rocCurve([0, 0, 1, 1], fitted.score([9, 8, 3, 2])).auc], [[1, 0], 1]);
    assert.deepEqual(ThresholdClassifier.fit([1, 1], [1, 1]).predict([7]), [1]);
    assert.throws(() => ThresholdClassifier.fit([1], [2]), /label 0 is 2/);
    assert.throws(() => ThresholdClassifier.fit([NaN], [1]), /value 0 is NaN/);
  });
});
