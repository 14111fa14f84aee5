/** The precision that products are computed in: of matrices, and of convolutions. All else is float32. */
export type Precision = 'float32' | 'bfloat16';

let current: Precision = 'float32';

/** What products are computed in now. */
export const currentPrecision = (): Precision => current;

/**
 * Runs `fn` with the products inside it, and those of their gradients, in this precision, as `torch.autocast('cpu', torch.bfloat16)` does.
 * Weights and all other tensors stay float32: products round their factors to bfloat16, add up in float32 and round the sum.
 * Everything between products (biases, norms, softmax, activations, losses) is float32. bfloat16 has float32's range of exponents, so
 * that a gradient neither overflows nor vanishes for its sake: no scaling of the loss is needed (Kalamkar et al. 2019,
 * https://arxiv.org/abs/1905.12322). Scopes nest; the inner one counts.
 *
 * @throws Error if `fn` returns a promise: the scope would have ended before its work is done
 */
export function withPrecision<T>(precision: Precision, fn: () => T): T {
  if (precision !== 'float32' && precision !== 'bfloat16') {
    throw new Error(`Unknown precision "${String(precision)}": expected float32 or bfloat16.`);
  }
  const outer = current;
  current = precision;
  try {
    const result = fn();
    if (result instanceof Promise) {
      throw new Error('withPrecision was given an asynchronous function, which would outlive it: use it around what is synchronous.');
    }
    return result;
  } finally {
    current = outer;
  }
}
