import { matMul, Random, tf, type Tensor } from '../engine';
import { normal, uniform } from './initialization';
import { Module, Parameter } from './module';

export interface LinearOptions {
  bias?: boolean;
  /** Start with a normal weight of this standard deviation and a bias of zero. */
  std?: number;
}

/** y = x Wᵀ + b as torch.nn.Linear: weight (out, in), both uniform in ±1/√in at the start unless a `std` is given. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;

  constructor(readonly inFeatures: number, readonly outFeatures: number, random: Random, { bias = true, std }: LinearOptions = {}) {
    super();
    const bound = 1 / Math.sqrt(inFeatures);
    const shape = [outFeatures, inFeatures];
    this.weight = new Parameter(std === undefined ? uniform(shape, bound, random) : normal(shape, std, random));
    if (bias) this.bias = new Parameter(std === undefined ? uniform([outFeatures], bound, random) : tf.zeros([outFeatures]));
  }

  /** (…, in) → (…, out) */
  forward(x: Tensor): Tensor {
    return tf.tidy(() => {
      const rows = tf.reshape(x, [-1, this.inFeatures]);
      const product = matMul(rows, this.weight.tensor, false, true);
      const y = this.bias ? tf.add(product, this.bias.tensor) : product;
      return tf.reshape(y, [...x.shape.slice(0, -1), this.outFeatures]);
    });
  }
}
