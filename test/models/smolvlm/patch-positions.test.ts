import assert from 'node:assert/strict';
import { patchPositions } from '../../../lib/models/smolvlm/patch-positions';
import cells from '../../fixtures/models/smolvlm-positions.json';

describe('patchPositions', () => {
  it('equals transformers\' for 1 to 64 cells a side, pictures smaller and larger than the grid included', () => {
    for (const [key, rows] of Object.entries(cells)) {
      const perSide = Number(key);
      for (const expected of rows) {
        const ours = patchPositions(null, 1, expected.length, expected.length, perSide);
        assert.deepEqual([...ours.subarray(0, expected.length)], expected, `${expected.length} patches over ${perSide} cells, across`);
        const down = expected.map((_, row) => ours[row * expected.length] / perSide);
        assert.deepEqual(down, expected, `${expected.length} patches over ${perSide} cells, down`);
      }
    }
  });

  it('lays the valid part of each picture over the grid, padding at cell 0', () => {
    const mask = [1, 1, 0, 1, 1, 0, 0, 0, 0, /**/ 1, 0, 0, 1, 0, 0, 1, 0, 0];
    assert.deepEqual([...patchPositions(mask, 2, 3, 3, 6)], [0, 3, 0, 18, 21, 0, 0, 0, 0, /**/ 0, 0, 0, 12, 0, 0, 24, 0, 0]);
  });
});
