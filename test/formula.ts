import { crc32 } from 'node:zlib';
import type { Module } from '../lib/nn';

/** Values in [0, 1) by the hash of scripts/reference/formula.py. */
export function uniform(name: string, count: number): Float64Array {
  const start = crc32(name);
  const values = new Float64Array(count); // a plain loop: real-size networks have 10⁸ values
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i + 1, 2654435761) + start) | 0;
    for (let round = 0; round < 2; round++) {
      x ^= x >>> 16;
      x = Math.imul(x, 0x45d9f3b);
    }
    x ^= x >>> 16;
    values[i] = (x >>> 0) / 2 ** 32;
  }
  return values;
}

/** What a parameter of this name and checkpoint shape holds in the fixtures of scripts/reference. */
export function formulaValues(name: string, shape: readonly number[]): Float32Array {
  const u = uniform(name, shape.reduce((a, b) => a * b, 1));
  const fan = shape.slice(1).reduce((a, b) => a * b, 1);
  const around1 = name.endsWith('running_var') || (shape.length === 1 && name.endsWith('weight'));
  const scale = shape.length >= 2 ? Math.sqrt(24 / fan) : 0.2;
  const values = new Float32Array(u.length);
  for (let i = 0; i < u.length; i++) values[i] = around1 ? 0.5 + u[i] : (u[i] - 0.5) * scale;
  return values;
}

/** Fills a module as the fixture scripts fill theirs; `rename` gives the reference's name of a parameter. */
export function fillByFormula(module: Module, rename: (name: string) => string = (name) => name): void {
  for (const [name, parameter] of module.namedParameters()) parameter.load(formulaValues(rename(name), parameter.checkpointShape));
}
