/** Tensors that stay through a test, made when they are first asked for: what calls are given. */
import { Random, tf, type Tensor } from '../../lib/engine';

const held = new Map<string, Tensor>();

function stays(key: string, make: () => Tensor): Tensor {
  if (!held.has(key)) held.set(key, tf.keep(make()));
  return held.get(key)!;
}

export const random = new Random(1);
export const fixed = <T extends Tensor = Tensor>(...shape: number[]): T => stays(`float32 ${shape}`, () => tf.fill(shape, 0.1)) as T;
export const integers = <T extends Tensor = Tensor>(values: number[], shape = [values.length]): T =>
  stays(`int32 ${shape}: ${values}`, () => tf.tensor(values, shape, 'int32')) as T;

export function disposeFixed(): void {
  tf.dispose([...held.values()]);
  held.clear();
}

export const broken = (): never => { throw new Error('broken'); };

/** Throws with a tensor on its hands, which who called it in a tidy of his own is to dispose. */
export const brokenInTidy = (): never => {
  tf.ones([2]);
  return broken();
};

/**
 * A call that succeeds, one that throws, or both; with `make`, on what that makes, whose tensors are its own until it is disposed. A result
 * may be a promise.
 */
export interface Call<S = never> { make?: () => S; run: (subject: S) => unknown; fails?: (subject: S) => unknown }
/** For tables: the subject's type is that of `make`. */
export const on = <S>(make: () => S, run: (subject: S) => unknown, fails?: (subject: S) => unknown): Call =>
  ({ make, run, fails } as Call<S> as unknown as Call);
