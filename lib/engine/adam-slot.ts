/** A parameter's moments in Adam and its step in one pass over memory, with the numbers of torch.optim.AdamW. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { backend, hasOwnKernels, nativeOp } from './native';
import { tf } from './tensorflow';
import { ResourceVariable } from './variable';

export interface AdamNumbers {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** 1 for the first. */
  step: number;
  /** Gradients are multiplied by it. */
  gradientFactor: number;
}

export interface AdamSlot {
  /** The parameter after the step, a new tensor; the former one and the gradient stay as they are, the caller's. */
  update(parameter: Tensor, gradient: Tensor, numbers: AdamNumbers): Tensor;
  /** Valid until the next step; the caller disposes them. */
  moments(): { m: Tensor; v: Tensor };
  /** Takes the values of moments, not the tensors. */
  restore(moments: { m: Tensor; v: Tensor }): void;
  dispose(): void;
}

/** Moments of zero for a float32 parameter of this shape. */
export function adamSlot(shape: readonly number[]): AdamSlot {
  return hasOwnKernels() ? new ProcessorAdamSlot(shape) : new ResourceAdamSlot(shape);
}

/** By the addon's own kernel, which writes moments in place. */
export class ProcessorAdamSlot implements AdamSlot {
  private m: Tensor;
  private v: Tensor;

  constructor(shape: readonly number[]) {
    [this.m, this.v] = [1, 2].map(() => tf.keep(tf.fill([...shape], 0)));
  }

  update(parameter: Tensor, gradient: Tensor, numbers: AdamNumbers): Tensor {
    const { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientFactor } = numbers, { binding } = backend();
    const ids = backend().getInputTensorIds([parameter, this.m, this.v, gradient]) as [number, number, number, number];
    const rate = learningRate / (1 - beta1 ** step), vFactor = 1 / Math.sqrt(1 - beta2 ** step);
    const id = binding.adamStep(...ids, [gradientFactor, 1 - learningRate * weightDecay, beta1, beta2, rate, vFactor, epsilon]);
    return backend().createOutputTensor({ id, shape: [...parameter.shape], dtype: binding.TF_FLOAT });
  }

  moments(): { m: Tensor; v: Tensor } { return { m: tf.clone(this.m), v: tf.clone(this.v) }; }

  restore({ m, v }: { m: Tensor; v: Tensor }): void {
    this.dispose();
    // Sums with zero have memory of their own.
    [this.m, this.v] = [m, v].map((moment) => tf.keep(tf.add(moment, 0)));
  }

  dispose(): void { tf.dispose([this.m, this.v]); }
}

/** By TensorFlow's kernel on resource variables, which is there for GPUs, too. */
export class ResourceAdamSlot implements AdamSlot {
  private readonly value: ResourceVariable;
  private readonly m: ResourceVariable;
  private readonly v: ResourceVariable;

  constructor(shape: readonly number[]) {
    [this.value, this.m, this.v] = [1, 2, 3].map(() => {
      const zeros = tf.zeros([...shape]), variable = new ResourceVariable(zeros);
      zeros.dispose();
      return variable;
    });
  }

  update(parameter: Tensor, gradient: Tensor, numbers: AdamNumbers): Tensor {
    const { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientFactor } = numbers, { value, m, v } = this;
    return tf.tidy(() => {
      // A product is nobody else's memory, so that the kernel may write into it.
      const decayed = tf.mul(parameter, 1 - learningRate * weightDecay);
      value.assign(decayed);
      decayed.dispose();
      const beta1Power = beta1 ** step, beta2Power = beta2 ** step;
      // TensorFlow adds its epsilon to √v, PyTorch to √(v / (1 − β₂ᵗ)): the same after this scaling.
      const scalars = [beta1Power, beta2Power, learningRate, beta1, beta2, epsilon * Math.sqrt(1 - beta2Power)].map((x) => tf.scalar(x));
      const scaled = gradientFactor === 1 ? gradient : tf.mul(gradient, gradientFactor);
      nativeOp('ResourceApplyAdam', { T: { dtype: 'float32' }, use_locking: { bool: false }, use_nesterov: { bool: false } },
        [value.handle, m.handle, v.handle, ...scalars, scaled], 0);
      return value.read();
    });
  }

  moments(): { m: Tensor; v: Tensor } { return { m: this.m.read(), v: this.v.read() }; }

  restore({ m, v }: { m: Tensor; v: Tensor }): void {
    this.m.assign(m);
    this.v.assign(v);
  }

  dispose(): void { for (const variable of [this.value, this.m, this.v]) variable.dispose(); }
}
