import { customGradient, nativeOp, tf, type Tensor } from '../engine';

/** Tensors of one layer's pass over a sequence. B sequences, T steps, H hidden. */
export interface LstmSequenceInputs {
  /** (T, B, 4H): the inputs' part of the gates, biases included; steps first, so that each is one piece of memory */
  inputGates: Tensor;
  /** (B, H) */
  initialHidden: Tensor;
  /** (B, H) */
  initialCell: Tensor;
  /** (4H, H): the hidden state's part of the gates */
  hiddenWeight: Tensor;
}

const matMul = (a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor => tf.matMul(a as never, b as never, transposeA, transposeB) as Tensor;
const gradientOp = (op: 'SigmoidGrad' | 'TanhGrad') => (y: Tensor, dy: Tensor): Tensor => nativeOp(op, { T: { dtype: 'float32' } }, [y, dy])[0];
const sigmoidGradient = gradientOp('SigmoidGrad'), tanhGradient = gradientOp('TanhGrad');

/** One step from the gates' pre-activations (B, 4H), in torch.nn.LSTM's order (input, forget, cell, output), and the cell (B, H). */
export function lstmGates(preActivations: Tensor, cell: Tensor) {
  const [i, f, g, o] = tf.split(preActivations, 4, 1);
  const [input, forget, candidate, output] = [tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)];
  const nextCell = tf.add(tf.mul(forget, cell), tf.mul(input, candidate));
  const squashed = tf.tanh(nextCell);
  return { input, forget, candidate, output, squashed, cell: nextCell, hidden: tf.mul(output, squashed) };
}

/**
 * Runs an LSTM layer over all steps at once, with a gradient of its own: the backward pass goes through time once, a product a step, and
 * then forms the weight's gradient in one large product, where a tape would add up T small ones.
 *
 * @returns (T + 1, B, H): the hidden state after every step, and as the last entry the final cell
 */
export function lstmSequence({ inputGates, initialHidden, initialCell, hiddenWeight }: LstmSequenceInputs): Tensor {
  const [steps, batch] = inputGates.shape;
  const size = initialHidden.shape[1]!;

  const forward = (save: (...tensors: Tensor[]) => void): Tensor => {
    const fromInputs = tf.unstack(inputGates, 0);
    const hiddens: Tensor[] = [initialHidden];
    const kept: Tensor[] = [];
    let cell = initialCell;
    for (let t = 0; t < steps; t++) {
      const fromHidden = matMul(hiddens[t], hiddenWeight, false, true);
      const next = lstmGates(tf.add(fromInputs[t], fromHidden), cell);
      kept.push(next.input, next.forget, next.candidate, next.output, next.squashed, cell);
      tf.dispose([fromInputs[t], fromHidden]);
      hiddens.push(next.hidden);
      cell = next.cell;
    }
    save(hiddenWeight, ...hiddens.slice(0, steps), ...kept);
    return tf.stack([...hiddens.slice(1), cell], 0);
  };

  const backward = (dy: Tensor, [weight, ...saved]: Tensor[]): Tensor[] => {
    const parts = tf.unstack(dy, 0);
    const dGates: Tensor[] = new Array(steps);
    let dHidden: Tensor | undefined, dCell = parts[steps];
    for (let t = steps - 1; t >= 0; t--) {
      const [next, before] = tf.tidy(() => {
        const [input, forget, candidate, output, squashed, cell] = saved.slice(steps + 6 * t, steps + 6 * t + 6);
        const dh = dHidden ? tf.add(parts[t], dHidden) : parts[t];
        const dc = tf.add(dCell, tanhGradient(squashed, tf.mul(dh, output)));
        const gates = tf.concat([
          sigmoidGradient(input, tf.mul(dc, candidate)), sigmoidGradient(forget, tf.mul(dc, cell)),
          tanhGradient(candidate, tf.mul(dc, input)), sigmoidGradient(output, tf.mul(dh, squashed)),
        ], 1);
        return [[gates, matMul(gates, weight)], tf.mul(dc, forget)];
      }) as unknown as [[Tensor, Tensor], Tensor];
      tf.dispose([dCell, parts[t], ...(dHidden ? [dHidden] : [])]);
      [[dGates[t], dHidden], dCell] = [next, before];
    }
    const stacked = tf.stack(dGates, 0);
    const rows = tf.reshape(stacked, [steps * batch, 4 * size]);
    return [stacked, dHidden!, dCell, matMul(rows, tf.concat(saved.slice(0, steps), 0), true)];
  };

  return customGradient([inputGates, initialHidden, initialCell, hiddenWeight], forward, (dy, saved) => tf.tidy(() => backward(dy, saved)));
}
