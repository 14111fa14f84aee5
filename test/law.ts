/** Laws that hold for all inputs, tried on many drawn ones: the same ones on every machine, unless LAW_SEED says otherwise. */
import fc from 'fast-check';

const SEED = Number(process.env.LAW_SEED ?? 20_260);

/** A mocha test of a law; a counterexample is made as small as it can be and shown. `runs`: inputs tried. */
export function law<T>(title: string, inputs: fc.Arbitrary<T>, holds: (input: T) => void | Promise<void>, runs = 100): void {
  it(title, () => fc.assert(fc.asyncProperty(inputs, async (input) => { await holds(input); }), { seed: SEED, numRuns: runs }));
}
