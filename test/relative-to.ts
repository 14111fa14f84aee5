import { closeTo } from './close-to';

/** As `closeTo`, relative to the largest expected magnitude however small it is: for gradients. */
export function relativeTo(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what?: string): void {
  const largest = Math.max(...Array.from(expected, Math.abs)) || 1;
  closeTo(Array.from(actual, (v) => v / largest), Array.from(expected, (v) => v / largest), tolerance, what);
}

/** Every k-th value, about `count` of them: `sample` of scripts/reference/hub.py. */
export function every(values: ArrayLike<number>, count = 64): number[] {
  const step = Math.max(1, Math.floor(values.length / count));
  return Array.from({ length: Math.ceil(values.length / step) }, (_, i) => values[i * step]);
}
