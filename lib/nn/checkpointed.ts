import { recomputed, tf, type Tensor } from '../engine';
import type { Module } from './module';

/** A block's output, of which only the input is kept for the backward pass (`recomputed`). Its attention weights are not to be had. */
export function checkpointed(block: Module & { forward(x: Tensor): { hidden: Tensor; weights: Tensor } }, x: Tensor): { hidden: Tensor } {
  const run = (input: Tensor): Tensor => tf.tidy(() => block.forward(input).hidden);
  return { hidden: recomputed(run, x, block.trainableParameters().map(({ tensor }) => tensor)) };
}
