import { tf, valueAndGradients, type Scalar } from '../engine';
import type { Adam } from './adam';
import { clipFactor, disposeGradients, gradientNorm, GradientSum, scaleGradients } from './gradients';

export interface UpdateOptions<B> {
  loss: (batch: B) => Scalar;
  /** How much a batch counts beside the others of its update. */
  weight: (batch: B) => number;
  maxGradNorm?: number;
}

/** One update of the weights from the mean loss of one or more batches. */
export class Update<B> {
  private readonly sum = new GradientSum();
  private lossSum = 0;
  private weightSum = 0;

  constructor(private readonly optimizer: Adam, private readonly options: UpdateOptions<B>) {}

  /** Adds a batch's loss and gradients; returns the loss. One that is not finite is added to nothing. */
  add(batch: B): number {
    const weight = this.options.weight(batch);
    if (!(weight > 0 && Number.isFinite(weight))) throw new Error(`batchWeight gave ${weight}: expected a number above 0.`);
    const loss = (): Scalar => {
      const value = this.options.loss(batch);
      return weight === 1 ? value : tf.mul(value, weight);
    };
    const { value, gradients } = valueAndGradients(loss, this.optimizer.parameters.map((parameter) => parameter.tensor));
    const weighted = value.dataSync()[0];
    value.dispose();
    if (!Number.isFinite(weighted)) { disposeGradients(gradients); return weighted; }
    this.sum.add(gradients);
    this.lossSum += weighted;
    this.weightSum += weight;
    return weighted / weight;
  }

  /**
   * Changes the weights by what was added; returns the mean loss, and the gradients' norm before clipping where they are clipped.
   * `checkNorm` sees the norm while it can still keep the weights from being changed, by throwing.
   */
  apply(checkNorm: (norm: number) => void = () => {}): { loss: number; gradientNorm?: number } {
    const { maxGradNorm } = this.options;
    const loss = this.lossSum / this.weightSum, gradients = this.sum.take();
    let factor = 1 / this.weightSum, norm: number | undefined;
    this.lossSum = this.weightSum = 0;
    if (maxGradNorm !== undefined) {
      norm = gradientNorm(gradients) * factor;
      try { checkNorm(norm); } catch (error) { disposeGradients(gradients); throw error; }
      factor *= clipFactor(norm, maxGradNorm);
    }
    this.optimizer.step(scaleGradients(gradients, factor));
    return { loss, ...(norm !== undefined && { gradientNorm: norm }) };
  }

  /** Forgets what was added. */
  reset(): void {
    this.sum.dispose();
    this.lossSum = this.weightSum = 0;
  }
}
