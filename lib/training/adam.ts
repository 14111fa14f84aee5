import { adamSlot, type AdamSlot, type Tensor } from '../engine';
import type { Parameter } from '../nn';

export interface AdamOptions {
  learningRate: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
  /** Factor on the learning rate of a parameter, for what torch.optim does with parameter groups; default 1 for all. */
  rateFactor?: (parameter: Parameter) => number;
}

interface Slot { parameter: Parameter; rateFactor: number; moments: AdamSlot }

/**
 * Adam (Kingma and Ba 2015) and, with `weightDecay`, AdamW (Loshchilov and Hutter 2019), equal to torch.optim's: the decay
 * multiplies the weights by 1 − lr·weightDecay before the step, and epsilon is added to the bias-corrected √v̂.
 */
export class Adam {
  learningRate: number;
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly epsilon: number;
  private readonly weightDecay: number;
  private readonly slots: Slot[];
  steps = 0;

  constructor(parameters: readonly Parameter[], options: AdamOptions) {
    const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, rateFactor = () => 1 } = options;
    this.learningRate = learningRate;
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    this.weightDecay = weightDecay;
    this.slots = parameters.map((parameter) => ({ parameter, rateFactor: rateFactor(parameter), moments: adamSlot(parameter.shape) }));
  }

  get parameters(): Parameter[] { return this.slots.map((slot) => slot.parameter); }

  /**
   * One update; `gradients` in the order of the parameters, null for one that the loss did not touch. They count `gradientFactor` times.
   * Disposes the gradients.
   */
  step(gradients: readonly (Tensor | null)[], gradientFactor = 1): void {
    if (gradients.length !== this.slots.length) throw new Error(`Adam holds ${this.slots.length} parameters and got ${gradients.length} gradients.`);
    const { beta1, beta2, epsilon, weightDecay } = this, step = ++this.steps;
    for (const [i, { parameter, rateFactor, moments }] of this.slots.entries()) {
      const gradient = gradients[i], learningRate = this.learningRate * rateFactor;
      if (!gradient) continue;
      const numbers = { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientFactor };
      parameter.assign(moments.update(parameter.tensor, gradient, numbers));
      gradient.dispose();
    }
  }

  /** Moments by parameter position, for a checkpoint; valid until the next step. The caller disposes them. */
  moments(): { m: Tensor; v: Tensor }[] { return this.slots.map(({ moments }) => moments.moments()); }

  /** Puts back `moments()` and the step count. */
  restore(steps: number, moments: readonly { m: Tensor; v: Tensor }[]): void {
    if (moments.length !== this.slots.length) throw new Error(`The checkpoint has moments for ${moments.length} parameters, the optimizer ${this.slots.length}.`);
    this.steps = steps;
    for (const [i, slot] of this.slots.entries()) slot.moments.restore(moments[i]);
  }

  dispose(): void { for (const { moments } of this.slots) moments.dispose(); }
}
