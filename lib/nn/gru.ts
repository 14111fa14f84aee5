import { matMul, Random, tf, type Tensor } from '../engine';
import { uniform } from './initialization';
import { Module, Parameter } from './module';

/**
 * One-layer GRU with torch.nn.GRU's names, gate order (reset, update, new) and reset-after form:
 * n = tanh(W_in x + b_in + r ∘ (W_hn h + b_hn)), h' = (1 − z) ∘ n + z ∘ h.
 */
export class Gru extends Module {
  readonly weight_ih_l0: Parameter;
  readonly weight_hh_l0: Parameter;
  readonly bias_ih_l0: Parameter;
  readonly bias_hh_l0: Parameter;

  constructor(readonly inputSize: number, readonly hiddenSize: number, random: Random) {
    super();
    const bound = 1 / Math.sqrt(hiddenSize);
    this.weight_ih_l0 = new Parameter(uniform([3 * hiddenSize, inputSize], bound, random));
    this.weight_hh_l0 = new Parameter(uniform([3 * hiddenSize, hiddenSize], bound, random));
    this.bias_ih_l0 = new Parameter(uniform([3 * hiddenSize], bound, random));
    this.bias_hh_l0 = new Parameter(uniform([3 * hiddenSize], bound, random));
  }

  /** One step: input (B, in), hidden (B, H) → next hidden (B, H). */
  step(input: Tensor, hidden: Tensor): Tensor {
    return tf.tidy(() => {
      const gi = tf.add(matMul(input, this.weight_ih_l0.tensor, false, true), this.bias_ih_l0.tensor);
      const gh = tf.add(matMul(hidden, this.weight_hh_l0.tensor, false, true), this.bias_hh_l0.tensor);
      return gruGates(gi, gh, hidden).next;
    });
  }
}

/** The gates from the input's and the hidden state's pre-activations, both (B, 3H). */
export function gruGates(gi: Tensor, gh: Tensor, hidden: Tensor): { reset: Tensor; update: Tensor; candidate: Tensor; hiddenNew: Tensor; next: Tensor } {
  const size = hidden.shape[1]!;
  const rows = hidden.shape[0];
  const [reset, update, candidate, hiddenNew, next] = tf.tidy(() => {
    const gates = tf.sigmoid(tf.add(tf.slice(gi, [0, 0], [rows, 2 * size]), tf.slice(gh, [0, 0], [rows, 2 * size])));
    const [reset, update] = tf.split(gates, 2, 1);
    const hiddenNew = tf.slice(gh, [0, 2 * size], [rows, size]);
    const candidate = tf.tanh(tf.add(tf.slice(gi, [0, 2 * size], [rows, size]), tf.mul(reset, hiddenNew)));
    return [reset, update, candidate, hiddenNew, tf.add(candidate, tf.mul(update, tf.sub(hidden, candidate)))];
  });
  return { reset, update, candidate, hiddenNew, next };
}
