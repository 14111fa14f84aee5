import type { Scalar, Tensor } from '@tensorflow/tfjs-node-gpu';
import { tf } from './tensorflow';

/**
 * Value of `loss` and its gradient for each tensor of `inputs`; null where the loss does not depend on one. The caller disposes
 * the value and the gradients.
 */
export function valueAndGradients(loss: () => Scalar, inputs: readonly Tensor[]): { value: Scalar; gradients: (Tensor | null)[] } {
  try {
    const { value, grads } = tf.engine().gradients(loss, inputs as Tensor[], undefined, true);
    return { value, gradients: (grads as (Tensor | undefined)[]).map((g) => g ?? null) };
  } catch (error) {
    releaseTape();
    throw error;
  }
}

interface Tape { state: { gradientDepth: number; activeTape: { saved?: Tensor[] | null }[] | null } }

/** Disposes what a forward pass had saved for a backward pass that will not come; TensorFlow.js keeps it when the forward pass throws. */
function releaseTape(): void {
  const { state } = tf.engine() as unknown as Tape;
  if (state.gradientDepth > 0) return;
  for (const { saved } of state.activeTape ?? []) tf.dispose(saved ?? []);
  state.activeTape = null;
}

/**
 * An operation with a gradient of its own. Intermediates of `forward` are disposed unless it passes them to `save`;
 * `backward` gets the output's gradient and what was saved, and returns one gradient for each input.
 */
export function customGradient(inputs: readonly Tensor[], forward: (save: (...tensors: Tensor[]) => void) => Tensor,
  backward: (dy: Tensor, saved: Tensor[]) => Tensor[]): Tensor {
  const op = tf.customGrad((...args) => {
    const save = args[args.length - 1] as unknown as (tensors: Tensor[]) => void;
    const value = tf.tidy(() => forward((...tensors) => save(tensors)));
    return { value, gradFunc: (dy: Tensor, saved: Tensor[]) => backward(dy, saved) as never };
  });
  return op(...(inputs as Tensor[]));
}
