import { matMul, Random, tf, type Tensor } from '../engine';
import { normal } from './initialization';
import { Module, Parameter } from './module';

/**
 * GPT-2's linear layer, called Conv1D in its checkpoints (transformers/pytorch_utils.py): y = x W + b with the weight (in, out), normal with
 * standard deviation 0.02 at the start, the bias zero.
 */
export class Conv1D extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(readonly inFeatures: number, readonly outFeatures: number, random: Random, std = 0.02) {
    super();
    this.weight = new Parameter(normal([inFeatures, outFeatures], std, random));
    this.bias = new Parameter(tf.zeros([outFeatures]));
  }

  /** (…, in) → (…, out) */
  forward(x: Tensor): Tensor {
    return tf.tidy(() => {
      const product = matMul(tf.reshape(x, [-1, this.inFeatures]), this.weight.tensor);
      return tf.reshape(tf.add(product, this.bias.tensor), [...x.shape.slice(0, -1), this.outFeatures]);
    });
  }
}
