import assert from 'node:assert/strict';
import { longestCommonSubsequence, rougeL } from '../../lib/metrics/rouge-l';

const words = (text: string) => text.split(' ').filter(Boolean);

describe('rougeL', () => {
  it('takes the best precision and the best recall, of different references if need be', () => {
    const precision = 3 / 3;
    const recall = 1;
    const expected = ((1 + 1.44) * precision * recall) / (recall + 1.44 * precision);
    assert.ok(Math.abs(rougeL([words('a b c d e f'), words('c')], words('a b c')) - expected) < 1e-12);
  });

  it('is 0 without a common word and 1 for empty against empty', () => {
    assert.equal(rougeL([words('a b')], words('c d')), 0);
    assert.equal(rougeL([[]], []), 1);
    assert.equal(rougeL([[]], ['a']), 0);
    assert.throws(() => rougeL([], ['a']), RangeError);
  });
});

describe('longestCommonSubsequence', () => {
  it('need not be contiguous and keeps the order', () => {
    assert.equal(longestCommonSubsequence([...'xaxbxc'], [...'abc']), 3);
    assert.equal(longestCommonSubsequence([...'abc'], [...'cba']), 1);
    assert.equal(longestCommonSubsequence([...'aab'], [...'ab']), 2);
    assert.equal(longestCommonSubsequence([], [...'ab']), 0);
  });
});
