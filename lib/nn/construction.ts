/**
 * Building a network whose sizes a file says: config.json may ask for more than the machine has, and its weights show how much can be
 * meant. What was made before an error is given back.
 */
import { tf, type Tensor } from '../engine';

interface Construction { values: number; tensors: number; readonly made: Tensor[] }

let current: Construction | undefined;

export interface ConstructionLimits {
  /** Numbers that the file of weights holds. */
  readonly values: number;
  /** Tensors that it holds. */
  readonly tensors: number;
}

/** What a network may have beyond its file: new heads, parts that are not stored, and double for layouts that share. */
const FREE_VALUES = 2 ** 26, FREE_TENSORS = 300;

/** Counts a parameter before memory is asked for. @throws Error when the network outgrows its file */
export function reserve(shape: readonly number[]): void {
  if (!current) return;
  current.values -= shape.reduce((a, b) => a * b, 1);
  current.tensors--;
  if (current.values >= 0 && current.tensors >= 0) return;
  throw new Error(`its sizes make a far larger network than the weights beside it (a parameter of shape [${shape.join(', ')}] is too much): `
    + 'check that config.json and the weights belong together');
}

/** Notes a parameter, to be given back if building fails. */
export function made(tensor: Tensor): void { current?.made.push(tensor); }

/** Builds a network for weights of this size; after an error nothing of it stays in memory. @throws what `build` throws */
export function construct<T>({ values, tensors }: ConstructionLimits, build: () => T): T {
  const former = current, own: Construction = { values: 2 * values + FREE_VALUES, tensors: 2 * tensors + FREE_TENSORS, made: [] };
  current = own;
  try { return build(); } catch (error) {
    tf.dispose(own.made.filter((tensor) => !tensor.isDisposed));
    throw error;
  } finally {
    current = former;
  }
}
