import { customGradient, matMul, nativeOp, repeatedProduct, tf, type Tensor } from '../engine';

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

/** One step from the gates' pre-activations (B, 4H), in torch.nn.LSTM's order (input, forget, cell, output), and the cell (B, H). */
export function lstmGates(preActivations: Tensor, cell: Tensor) {
  const [input, forget, candidate, output, squashed, nextCell, hidden] = tf.tidy(() => {
    const [i, f, g, o] = tf.split(preActivations, 4, 1);
    const [input, forget, candidate, output] = [tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)];
    const nextCell = tf.add(tf.mul(forget, cell), tf.mul(input, candidate));
    const squashed = tf.tanh(nextCell);
    return [input, forget, candidate, output, squashed, nextCell, tf.mul(output, squashed)];
  });
  return { input, forget, candidate, output, squashed, cell: nextCell, hidden };
}

export interface LstmKept { input: Tensor; forget: Tensor; candidate: Tensor; output: Tensor; squashed: Tensor }

/**
 * The way back through `lstmGates` for steps of one batch: from the gradients of hidden and cell (B, H) to those of the pre-activations
 * (B, 4H), in TensorFlow's order (input, cell, forget, output), and of the cell before. Call it inside tf.tidy.
 *
 * @param weight (4H, H): only its shape counts
 */
export function lstmGatesGradient(batch: number, weight: Tensor): (kept: LstmKept, cell: Tensor, dHidden: Tensor, dCell: Tensor) => { gates: Tensor; cell: Tensor } {
  const size = weight.shape[1]!;
  // The kernel is that of LSTMBlockCell's gradient; without peepholes it reads neither the input nor the weights, only their shapes.
  const noInput = tf.zeros([batch, 0]), unused = tf.zeros([size]), noBias = tf.zeros([4 * size]), noWeight = tf.reshape(weight, [size, 4 * size]);
  return ({ input, forget, candidate, output, squashed }, cell, dHidden, dCell) => {
    const [before, gates, ...peepholes] = nativeOp('LSTMBlockCellGrad', { use_peephole: { bool: false }, T: { dtype: 'float32' } }, [
      noInput, cell, output, noWeight, unused, unused, unused, noBias, input, squashed, forget, output, candidate, squashed, dCell, dHidden,
    ], 5);
    tf.dispose(peepholes);
    return { gates, cell: before };
  };
}

/** From the order input, forget, cell, output to TensorFlow's input, cell, forget, output, or back. */
export function swapMiddleQuarters(gates: Tensor, axis: number): Tensor {
  return tf.tidy(() => {
    const [i, f, g, o] = tf.split(gates, 4, axis);
    return tf.concat([i, g, f, o], axis);
  });
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
    const backToHidden = repeatedProduct(swapMiddleQuarters(weight, 0));
    const gradientOf = lstmGatesGradient(batch, weight);
    const dGates: Tensor[] = new Array(steps);
    let dHidden: Tensor | undefined, dCell = parts[steps];
    for (let t = steps - 1; t >= 0; t--) {
      const [input, forget, candidate, output, squashed, cell] = saved.slice(steps + 6 * t, steps + 6 * t + 6);
      const dh = dHidden ? tf.add(parts[t], dHidden) : parts[t];
      const { gates, cell: before } = gradientOf({ input, forget, candidate, output, squashed }, cell, dh, dCell);
      tf.dispose([dh, parts[t], dCell, ...(dHidden ? [dHidden] : [])]);
      [dGates[t], dHidden, dCell] = [gates, backToHidden(gates), before];
    }
    const stacked = swapMiddleQuarters(tf.stack(dGates, 0), 2);
    const rows = tf.reshape(stacked, [steps * batch, 4 * size]);
    return [stacked, dHidden!, dCell, matMul(rows, tf.concat(saved.slice(0, steps), 0), true)];
  };

  return customGradient([inputGates, initialHidden, initialCell, hiddenWeight], forward, (dy, saved) => tf.tidy(() => backward(dy, saved)));
}
