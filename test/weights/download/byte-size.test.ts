import assert from 'node:assert/strict';
import { formatBytes } from '../../../lib/weights';

describe('formatBytes', () => {
  it('has three digits at most, in powers of 1000', () => {
    const cases: [number, string][] = [
      [0, '0 B'], [1, '1 B'], [999, '999 B'], [1000, '1 kB'], [1234, '1.23 kB'], [12_345, '12.3 kB'], [99_949, '99.9 kB'], [99_960, '100 kB'],
      [123_456, '123 kB'], [999_499, '999 kB'], [999_500, '1 MB'], [88_202_656, '88.2 MB'], [1.22e9, '1.22 GB'], [4e12, '4 TB'], [9e15, '9000 TB'],
    ];
    for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
  });
});
