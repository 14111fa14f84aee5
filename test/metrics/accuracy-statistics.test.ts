import assert from 'node:assert/strict';
import { AccuracyStatistics, PairedBootstrap } from '../../lib/metrics';

const repeat = (values: number[], times: number): number[] => values.flatMap((value) => new Array<number>(times).fill(value));

describe('AccuracyStatistics', () => {
  it('counts hits by group, so often as each is drawn', () => {
    const statistics = new AccuracyStatistics([0, 1, 2, 2], [0, 0, 2, 2], ['x', 'y', 'x', 'z']);
    assert.deepEqual(statistics.ids, ['x', 'y', 'z']);
    assert.equal(statistics.corpus().accuracy, 3 / 4);
    assert.equal(statistics.corpus([2, 3, 0]).accuracy, 4 / 7);
    assert.deepEqual(new AccuracyStatistics([0, 1], [0, 0]).ids, ['0', '1']);
  });

  it('has the interval of a proportion, and a wider one where examples come in groups of the same', () => {
    const predictions = Array.from({ length: 100 }, (_, i) => Number(i % 5 < 3)), labels = predictions.map(() => 1);
    const width = (statistics: AccuracyStatistics): number => {
      const { value, low, high } = new PairedBootstrap<'accuracy'>({ it: statistics }).interval('it', 'accuracy');
      assert.equal(value, 0.6);
      return high - low;
    };
    // Four examples of each group, all right or all wrong, say no more than one does.
    const single = width(new AccuracyStatistics(labels, predictions));
    const four = repeat(predictions, 4), groups = four.map((_, i) => String(Math.floor(i / 4)));
    assert.ok(Math.abs(single - 2 * 1.96 * Math.sqrt(0.6 * 0.4 / 100)) < 0.025, `${single}`);
    assert.equal(width(new AccuracyStatistics(four.map(() => 1), four, groups)), single);
    const apart = width(new AccuracyStatistics(four.map(() => 1), four));
    assert.ok(apart < 0.65 * single, `${apart} of ${single}`);
  });

  it('tells prompts apart by what only one of them gets right', () => {
    const labels = repeat([0], 50), all = repeat([0], 50), less = [...repeat([1], 12), ...repeat([0], 38)];
    const systems = { all: new AccuracyStatistics(labels, all), less: new AccuracyStatistics(labels, less) };
    const { value, low, high, pValue } = new PairedBootstrap<'accuracy'>(systems).difference('less', 'all', 'accuracy');
    assert.ok(low < -0.24 && high > -0.24 && high < 0 && pValue < 0.01, JSON.stringify({ value, low, high, pValue }));
  });

  it('refuses lists that do not fit', () => {
    assert.throws(() => new AccuracyStatistics([], []), /nothing to score/);
    assert.throws(() => new AccuracyStatistics([1], [1, 2]), /1 labels and 2 predictions/);
    assert.throws(() => new AccuracyStatistics([1, 2], [1, 2], ['a']), /2 labels and 1 groups/);
  });
});
