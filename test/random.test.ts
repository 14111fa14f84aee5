import assert from 'node:assert/strict';
import { Random, seedFor } from '../lib/random';

describe('seedFor', () => {
  it('depends on the seed and on every part, and on where one ends', () => {
    const parts = [[], [''], ['a', 'b'], ['ab'], ['ab', ''], ['b', 'a'], ['a', 'c']];
    const seeds = [seedFor(2), ...parts.map((list) => seedFor(1, ...list))];
    assert.equal(new Set(seeds).size, seeds.length);
    assert.ok(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32));
    assert.equal(seedFor(7, 'cells', 3), seedFor(7, 'cells', '3'));
  });

  it('hardly ever gives two names the same seed, and seeds that are unlike', () => {
    const seeds = Array.from({ length: 20_000 }, (_, i) => seedFor(42, `${i}.jpg`));
    // 20,000 of 2^32: 0.05 pairs expected.
    assert.ok(new Set(seeds).size >= seeds.length - 1);
    const mean = seeds.reduce((sum, seed) => sum + new Random(seed).uniform(), 0) / seeds.length;
    assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(1 / 12 / seeds.length), `${mean}`);
  });
});
