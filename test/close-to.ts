import assert from 'node:assert/strict';

/** Asserts that every value is within `tolerance` of the expected one, relative to the largest expected magnitude (at least 1). */
export function closeTo(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what = 'values'): void {
  assert.equal(actual.length, expected.length, `${what}: ${actual.length} values, expected ${expected.length}`);
  let largest = 1, worst = 0, at = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(actual[i] - expected[i]);
    if (!(off <= worst)) { worst = off; at = i; }
  }
  assert.ok(worst <= tolerance * largest, `${what}: [${at}] is ${actual[at]}, expected ${expected[at]} (off by ${worst}, allowed ${tolerance * largest})`);
}
