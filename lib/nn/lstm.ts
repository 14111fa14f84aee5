/**
 * LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000) with torch.nn.LSTM's names and gate order (input, forget,
 * cell, output): c' = f ∘ c + i ∘ g, h' = o ∘ tanh(c').
 */
import { matMul, Random, tf, type Tensor } from '../engine';
import { Dropout } from './dropout';
import { uniform } from './initialization';
import { lstmGates, lstmSequence } from './lstm-sequence';
import { Module, Parameter } from './module';

/** What an LSTM remembers: hidden state and cell of every layer, (B, H) each; rows can be reordered as beam search wants. */
export interface LstmState { hidden: Tensor[]; cell: Tensor[] }

export interface LstmOptions {
  /** Layers on top of each other; default 1. */
  numLayers?: number;
  /** Between layers, in training. */
  dropout?: number;
}

interface Weights { weightIh: Parameter; weightHh: Parameter; biasIh: Parameter; biasHh: Parameter }

function makeWeights(inputSize: number, hiddenSize: number, random: Random): Weights {
  const parameter = (shape: number[]) => new Parameter(uniform(shape, 1 / Math.sqrt(hiddenSize), random));
  return {
    weightIh: parameter([4 * hiddenSize, inputSize]), weightHh: parameter([4 * hiddenSize, hiddenSize]),
    biasIh: parameter([4 * hiddenSize]), biasHh: parameter([4 * hiddenSize]),
  };
}

const product = (rows: Tensor, weight: Parameter): Tensor => matMul(rows, weight.tensor, false, true);

/** Rows (N, in) → the inputs' part of the gates (N, 4H), both biases included. */
const inputGates = (rows: Tensor, { weightIh, biasIh, biasHh }: Weights): Tensor =>
  tf.add(product(rows, weightIh), tf.add(biasIh.tensor, biasHh.tensor));

const oneStep = (input: Tensor, hidden: Tensor, cell: Tensor, weights: Weights): [hidden: Tensor, cell: Tensor] => tf.tidy(() => {
  const next = lstmGates(tf.add(inputGates(input, weights), product(hidden, weights.weightHh)), cell);
  return [next.hidden, next.cell];
});

function expectShape(what: string, tensor: Tensor, shape: readonly number[]): void {
  if (String(tensor.shape) !== String(shape)) throw new Error(`LSTM: ${what} has the shape [${tensor.shape}], expected [${shape.join(', ')}].`);
}

/** torch.nn.LSTM(batch_first=True): parameters weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, and so on for each layer. */
export class Lstm extends Module {
  readonly [name: `${'weight' | 'bias'}_${'ih' | 'hh'}_l${number}`]: Parameter;
  readonly numLayers: number;
  private readonly layers: Weights[];
  private readonly dropout: Dropout;

  constructor(readonly inputSize: number, readonly hiddenSize: number, random: Random, { numLayers = 1, dropout = 0 }: LstmOptions = {}) {
    super();
    if (!Number.isInteger(numLayers) || numLayers < 1) throw new Error(`LSTM: ${numLayers} layers, expected a whole number of at least 1.`);
    this.numLayers = numLayers;
    this.layers = Array.from({ length: numLayers }, (_, layer) => makeWeights(layer === 0 ? inputSize : hiddenSize, hiddenSize, random));
    for (const [layer, { weightIh, weightHh, biasIh, biasHh }] of this.layers.entries()) {
      Object.assign(this, {
        [`weight_ih_l${layer}`]: weightIh, [`weight_hh_l${layer}`]: weightHh, [`bias_ih_l${layer}`]: biasIh, [`bias_hh_l${layer}`]: biasHh,
      });
    }
    this.dropout = new Dropout(dropout, random);
  }

  /** All zeros, for `batch` sequences. */
  initialState(batch: number): LstmState {
    const zeros = () => this.layers.map(() => tf.zeros([batch, this.hiddenSize]));
    return { hidden: zeros(), cell: zeros() };
  }

  /**
   * All steps at once: input (B, T, in) and the state before it (zeros if absent) → the last layer's hidden state after every step
   * (B, T, H), and every layer's state after the last.
   */
  forward(input: Tensor, state?: LstmState): LstmState & { output: Tensor } {
    const [batch, steps] = input.shape;
    const { hiddenSize: size, numLayers } = this;
    expectShape('input', input, [batch, steps, this.inputSize]);
    if (steps === 0) throw new Error('LSTM: the input has no steps.');
    if (state) this.check(state, batch);
    return tf.tidy(() => {
      const { hidden: before, cell: cellBefore } = state ?? this.initialState(batch);
      const hidden: Tensor[] = [], cell: Tensor[] = [];
      let x: Tensor = tf.transpose(input, [1, 0, 2]); // (T, B, in): products and steps then work on whole pieces of memory
      for (const [layer, weights] of this.layers.entries()) {
        const gates = inputGates(tf.reshape(x, [steps * batch, -1]), weights);
        const states = lstmSequence({
          inputGates: tf.reshape(gates, [steps, batch, 4 * size]), hiddenWeight: weights.weightHh.tensor,
          initialHidden: before[layer], initialCell: cellBefore[layer],
        });
        const entry = (t: number) => tf.reshape(tf.slice(states, [t, 0, 0], [1, batch, size]), [batch, size]);
        hidden.push(entry(steps - 1));
        cell.push(entry(steps));
        x = tf.slice(states, [0, 0, 0], [steps, batch, size]);
        if (layer < numLayers - 1) x = this.dropout.forward(x);
      }
      return { output: tf.transpose(x, [1, 0, 2]), hidden, cell } as never;
    });
  }

  /** One step for decoding: input (B, in) → the last layer's hidden state (B, H) as `output` (a tensor of its own), and the state after it. */
  step(input: Tensor, state: LstmState): LstmState & { output: Tensor } {
    const batch = input.shape[0];
    expectShape('input', input, [batch, this.inputSize]);
    this.check(state, batch);
    return tf.tidy(() => {
      const hidden: Tensor[] = [], cell: Tensor[] = [];
      let x = input;
      for (const [layer, weights] of this.layers.entries()) {
        const next = oneStep(x, state.hidden[layer], state.cell[layer], weights);
        hidden.push(next[0]);
        cell.push(next[1]);
        x = layer < this.numLayers - 1 ? this.dropout.forward(next[0]) : next[0];
      }
      return { output: tf.clone(x), hidden, cell } as never;
    });
  }

  private check({ hidden, cell }: LstmState, batch: number): void {
    for (const [what, tensors] of [['hidden', hidden], ['cell', cell]] as const) {
      if (tensors.length !== this.numLayers) {
        throw new Error(`LSTM: the state's ${what} has ${tensors.length} tensors for ${this.numLayers} layers.`);
      }
      for (const [i, tensor] of tensors.entries()) expectShape(`the state's ${what}[${i}]`, tensor, [batch, this.hiddenSize]);
    }
  }
}

/** torch.nn.LSTMCell: one layer, one step at a time; parameters weight_ih, weight_hh, bias_ih, bias_hh. */
export class LstmCell extends Module {
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih: Parameter;
  readonly bias_hh: Parameter;

  constructor(readonly inputSize: number, readonly hiddenSize: number, random: Random) {
    super();
    const { weightIh, weightHh, biasIh, biasHh } = makeWeights(inputSize, hiddenSize, random);
    [this.weight_ih, this.weight_hh, this.bias_ih, this.bias_hh] = [weightIh, weightHh, biasIh, biasHh];
  }

  /** Input (B, in), hidden (B, H), cell (B, H) → the next hidden and cell. */
  forward(input: Tensor, { hidden, cell }: { hidden: Tensor; cell: Tensor }): { hidden: Tensor; cell: Tensor } {
    const batch = input.shape[0];
    expectShape('input', input, [batch, this.inputSize]);
    for (const [what, tensor] of [['hidden', hidden], ['cell', cell]] as const) expectShape(what, tensor, [batch, this.hiddenSize]);
    const weights = { weightIh: this.weight_ih, weightHh: this.weight_hh, biasIh: this.bias_ih, biasHh: this.bias_hh };
    const next = oneStep(input, hidden, cell, weights);
    return { hidden: next[0], cell: next[1] };
  }
}
