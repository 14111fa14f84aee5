import { adamStep, ResourceVariable, tf, type AdamSlot, type Tensor } from '../engine';
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

interface Slot extends AdamSlot { parameter: Parameter; rateFactor: number }

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
    this.slots = parameters.map((parameter) => {
      const zeros = tf.zeros(parameter.shape);
      const [m, v] = [new ResourceVariable(zeros), new ResourceVariable(zeros)];
      const slot = { parameter, rateFactor: rateFactor(parameter), value: new ResourceVariable(parameter.tensor), m, v };
      zeros.dispose();
      return slot;
    });
  }

  get parameters(): Parameter[] { return this.slots.map((slot) => slot.parameter); }

  /** One update; `gradients` in the order of the parameters, null for one that the loss did not touch. Disposes the gradients. */
  step(gradients: readonly (Tensor | null)[]): void {
    if (gradients.length !== this.slots.length) throw new Error(`Adam holds ${this.slots.length} parameters and got ${gradients.length} gradients.`);
    this.steps++;
    for (const factor of new Set(this.slots.map(({ rateFactor }) => rateFactor))) this.stepOf(factor, gradients);
  }

  /** The update of the parameters whose rate has this factor. */
  private stepOf(factor: number, gradients: readonly (Tensor | null)[]): void {
    const { beta1, beta2 } = this, learningRate = this.learningRate * factor;
    const beta1Power = beta1 ** this.steps, beta2Power = beta2 ** this.steps;
    // TensorFlow adds its epsilon to √v, PyTorch to √(v / (1 − β₂ᵗ)): the same after this scaling.
    const epsilon = this.epsilon * Math.sqrt(1 - beta2Power);
    const decay = this.weightDecay ? tf.scalar(1 - learningRate * this.weightDecay) : undefined;
    adamStep({ beta1Power, beta2Power, learningRate, beta1, beta2, epsilon }, (apply) => {
      for (const [i, slot] of this.slots.entries()) {
        const { parameter, value } = slot, gradient = gradients[i];
        if (!gradient || slot.rateFactor !== factor) continue;
        if (decay) {
          const decayed = tf.mul(parameter.tensor, decay);
          value.assign(decayed);
          decayed.dispose();
        }
        // The kernel updates in place only if nobody else holds the value.
        parameter.tensor.dispose();
        apply(slot, gradient);
        parameter.tensor = tf.keep(value.read());
        gradient.dispose();
      }
    });
    decay?.dispose();
  }

  /** Moments by parameter position, for a checkpoint; the caller disposes them. */
  moments(): { m: Tensor; v: Tensor }[] { return this.slots.map(({ m, v }) => ({ m: m.read(), v: v.read() })); }

  /** Puts back `moments()` and the step count; parameters must already hold the checkpoint's weights. */
  restore(steps: number, moments: readonly { m: Tensor; v: Tensor }[]): void {
    if (moments.length !== this.slots.length) throw new Error(`The checkpoint has moments for ${moments.length} parameters, the optimizer ${this.slots.length}.`);
    this.steps = steps;
    for (const [i, slot] of this.slots.entries()) {
      slot.value.assign(slot.parameter.tensor);
      slot.m.assign(moments[i].m);
      slot.v.assign(moments[i].v);
    }
  }

  dispose(): void { for (const { value, m, v } of this.slots) for (const variable of [value, m, v]) variable.dispose(); }
}
