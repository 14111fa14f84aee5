/** A seeded permutation, for splits that must come out the same on every machine. */

/**
 * The numbers 0 … n−1 in an order that depends on the seed alone: Fisher–Yates over mulberry32 (T. Ettinger's 32-bit generator),
 * kept here rather than in the engine so that reading a data set needs no TensorFlow.
 */
export function seededOrder(n: number, seed: number): number[] {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const order = Array.from({ length: n }, (_, index) => index);
  for (let last = n - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
