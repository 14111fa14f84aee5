import { crc32 } from 'node:zlib';
import type { Module } from '../lib/nn';

/** Values in [0, 1) by the hash of scripts/reference/formula.py. */
function uniform(name: string, count: number): Float64Array {
  const start = crc32(name);
  return Float64Array.from({ length: count }, (_, i) => {
    let x = (Math.imul(i + 1, 2654435761) + start) | 0;
    for (let round = 0; round < 2; round++) {
      x ^= x >>> 16;
      x = Math.imul(x, 0x45d9f3b);
    }
    x ^= x >>> 16;
    return (x >>> 0) / 2 ** 32;
  });
}

/** What a parameter of this name and checkpoint shape holds in the fixtures of scripts/reference. */
export function formulaValues(name: string, shape: readonly number[]): Float32Array {
  const u = uniform(name, shape.reduce((a, b) => a * b, 1));
  const fan = shape.slice(1).reduce((a, b) => a * b, 1);
  if (name.endsWith('running_var') || (shape.length === 1 && name.endsWith('weight'))) return Float32Array.from(u, (v) => 0.5 + v);
  return Float32Array.from(u, (v) => (v - 0.5) * (shape.length >= 2 ? Math.sqrt(24 / fan) : 0.2));
}

/** Fills a module as the fixture scripts fill theirs; `rename` gives the reference's name of a parameter. */
export function fillByFormula(module: Module, rename: (name: string) => string = (name) => name): void {
  for (const [name, parameter] of module.namedParameters()) parameter.load(formulaValues(rename(name), parameter.checkpointShape));
}
