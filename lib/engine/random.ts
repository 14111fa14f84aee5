/**
 * Seeded randomness. `Random` draws numbers in JavaScript (shuffling, sampling, seeds); `randomUniform` and `randomNormal` draw
 * whole tensors by TensorFlow's counter-based generator (Philox), so the same seed gives the same values on any thread count.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { nativeOp } from './native';
import { tf } from './tensorflow';

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state that save and restore exactly. */
export class Random {
  private state: Uint32Array;

  constructor(seed: number) {
    this.state = Uint32Array.of(seed, 0x9e3779b9, 0x243f6a88, 1);
    for (let i = 0; i < 15; i++) this.uint32();
  }

  uint32(): number {
    const s = this.state;
    const result = (s[0] + s[1] + s[3]) >>> 0;
    s[3]++;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) >>> 0;
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + result;
    return result;
  }

  /** Uniform in [0, 1) with 32 bits. */
  uniform(): number { return this.uint32() / 0x1_0000_0000; }

  /** Uniform whole number in [0, n). */
  integer(n: number): number { return Math.floor(this.uniform() * n); }

  /** A seed pair for the tensor generators below. */
  seedPair(): [number, number] { return [this.uint32() | 0, this.uint32() | 0]; }

  /** Fisher-Yates, in place. */
  shuffle<T extends { [index: number]: unknown; length: number }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }

  /** The four state words, to continue the same sequence after a resume. */
  save(): number[] { return Array.from(this.state); }
  restore(state: readonly number[]): void {
    if (state.length !== 4) throw new Error(`A random state has 4 words, this one has ${state.length}: the checkpoint is damaged.`);
    this.state = Uint32Array.from(state);
  }
}

function stateless(op: string, shape: number[], seed: readonly [number, number]): Tensor {
  return tf.tidy(() => nativeOp(op, { dtype: { dtype: 'float32' }, T: { dtype: 'int32' }, Tseed: { dtype: 'int32' } },
    [tf.tensor1d(shape, 'int32'), tf.tensor1d(seed as [number, number], 'int32')])[0]);
}

/** Uniform in [0, 1). */
export const randomUniform = (shape: number[], seed: readonly [number, number]): Tensor => stateless('StatelessRandomUniform', shape, seed);
/** Standard normal. */
export const randomNormal = (shape: number[], seed: readonly [number, number]): Tensor => stateless('StatelessRandomNormal', shape, seed);
