/** What happens to gradients between the backward pass and the optimizer: adding up over batches, clipping. */
import { nativeOp, ResourceVariable, tf, type Scalar, type Tensor } from '../engine';

/** In the order of the parameters; null for one that the loss did not touch. */
export type Gradients = (Tensor | null)[];

export const disposeGradients = (gradients: Gradients): void => tf.dispose(gradients.filter((gradient) => gradient !== null) as Tensor[]);

/**
 * The sum of the gradients of several batches. The first ones are kept as they are; later ones are added in place, so that however many
 * batches there are, one gradient a parameter is held between them.
 */
export class GradientSum {
  private gradients: Gradients | undefined;
  private sums: (ResourceVariable | null)[] | undefined;

  /** Takes the gradients over. */
  add(gradients: Gradients): void {
    if (!this.gradients) { this.gradients = gradients; return; }
    this.sums ??= this.gradients.map(() => null);
    for (const [i, gradient] of gradients.entries()) {
      const former = this.gradients[i];
      if (!gradient) continue;
      if (!former && !this.sums[i]) { this.gradients[i] = gradient; continue; }
      if (former) {
        this.sums[i] = new ResourceVariable(former);
        // From here on the variable alone holds the values: else the kernel would copy them first.
        former.dispose();
        this.gradients[i] = null;
      }
      this.sums[i]!.add(gradient);
      gradient.dispose();
    }
  }

  /** The sum, the caller's to dispose; the next one starts from nothing. */
  take(): Gradients {
    const { gradients = [], sums } = this;
    this.gradients = this.sums = undefined;
    return gradients.map((gradient, i) => {
      const sum = sums?.[i];
      if (!sum) return gradient;
      const value = sum.read();
      sum.dispose();
      return value;
    });
  }

  dispose(): void { disposeGradients(this.take()); }
}

/** Euclidean norm of all gradients taken as one vector, as torch.nn.utils.get_total_norm; the caller disposes it. */
export function gradientNorm(gradients: readonly (Tensor | null)[]): Scalar {
  return tf.tidy(() => {
    // Σg²/2 in one pass, without a square of g in memory.
    const halves = gradients.flatMap((gradient) => (gradient ? nativeOp('L2Loss', { T: { dtype: 'float32' } }, [gradient]) : []));
    return halves.length === 0 ? tf.scalar(0) : tf.sqrt(tf.mul(2, tf.addN(halves))) as Scalar;
  });
}

/** What torch.nn.utils.clip_grad_norm_ multiplies gradients of this norm by: never more than 1. */
export const clipFactor = (norm: number, maxNorm: number): number => Math.min(1, maxNorm / (norm + 1e-6));
