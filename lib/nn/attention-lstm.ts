import { customGradient, matMul, nativeOp, repeatedProduct, tf, type Tensor } from '../engine';
import { attend, type AttentionActivation } from './additive-attention';
import { lstmGates, lstmGatesGradient, swapMiddleQuarters } from './lstm-sequence';

/** Tensors of one pass of an attention LSTM over whole sentences. B images, T words, L positions, D features, A attention size, H hidden. */
export interface AttentionLstmInputs {
  /** (B, L, D) */
  features: Tensor;
  /** (B, L, A): the features' part of the attention's hidden layer, biases included */
  projected: Tensor;
  /** (T, B, 4H): the words' part of the LSTM's gates, biases included; steps first, so that each is one piece of memory */
  wordGates: Tensor;
  /** (B, H) */
  initialHidden: Tensor;
  /** (B, H) */
  initialCell: Tensor;
  /** (4H, D): the context's part of the gates */
  contextWeight: Tensor;
  /** (A + D + 4H, H): what the hidden state gives to the attention's query, to the context's gate and to the LSTM's gates, stacked */
  hiddenWeight: Tensor;
  /** (D): bias of the context's gate */
  gateBias: Tensor;
  /** (1, A) */
  scoreWeight: Tensor;
}

const gradientOf = (op: 'TanhGrad' | 'SigmoidGrad', y: Tensor, dy: Tensor): Tensor => nativeOp(op, { T: { dtype: 'float32' } }, [y, dy])[0];
const activationGradient = (kind: AttentionActivation, y: Tensor, dy: Tensor): Tensor =>
  (kind === 'tanh' ? gradientOf('TanhGrad', y, dy) : nativeOp('ReluGrad', { T: { dtype: 'float32' } }, [dy, y])[0]);

/** So many tensors are added in one pass: more of them at a time would be held for little. */
const addedAtOnce = 8;

/**
 * The decoder of Show, Attend and Tell (Xu et al. 2015, https://arxiv.org/abs/1502.03044; soft attention with the gate β of section 4.2.1) over
 * all words at once: attention by the hidden state before the word, the gated context beside the word as the LSTM's input. It has a
 * gradient of its own, which goes back through time once and forms each weight's gradient in one large product.
 *
 * @returns (B, T, H + L): hidden state and attention weights of every word, side by side
 */
export function attentionLstm(inputs: AttentionLstmInputs, activation: AttentionActivation): Tensor {
  const { features, projected, wordGates, initialHidden, initialCell, contextWeight, hiddenWeight, gateBias, scoreWeight } = inputs;
  const [batch, positions, attentionSize] = projected.shape as [number, number, number];
  const steps = wordGates.shape[0], size = initialHidden.shape[1]!, featureSize = features.shape[2]!;

  const forward = (save: (...tensors: Tensor[]) => void): Tensor => {
    const words = tf.unstack(wordGates, 0);
    const hiddens: Tensor[] = [initialHidden], kept: Tensor[][] = [];
    let cell = initialCell;
    for (let t = 0; t < steps; t++) {
      const fromHidden = matMul(hiddens[t], hiddenWeight, false, true);
      const parts = tf.split(fromHidden, [attentionSize, featureSize, 4 * size], 1);
      const { energy, weights, context } = attend(features, projected, parts[0], scoreWeight, activation);
      const gate = tf.sigmoid(tf.add(parts[1], gateBias));
      const gated = tf.mul(gate, context);
      const fromContext = matMul(gated, contextWeight, false, true);
      const next = lstmGates(tf.addN([words[t], fromContext, parts[2]]), cell);
      kept.push([energy, weights, context, gate, gated, next.input, next.forget, next.candidate, next.output, next.squashed, cell]);
      tf.dispose([words[t], fromHidden, fromContext, ...parts]);
      hiddens.push(next.hidden);
      cell = next.cell;
    }
    save(features, contextWeight, hiddenWeight, scoreWeight, ...hiddens.slice(0, steps), ...kept.flat());
    return tf.concat([tf.stack(hiddens.slice(1), 1), tf.stack(kept.map(([, weights]) => weights), 1)], 2);
  };

  const backward = (dy: Tensor, [features, contextWeight, hiddenWeight, scoreWeight, ...saved]: Tensor[]): Tensor[] => {
    const hiddens = saved.slice(0, steps);
    const kept = (t: number) => saved.slice(steps + 11 * t, steps + 11 * (t + 1));
    const [dHidden, dWeights] = tf.split(dy, [size, positions], 2).map((part) => tf.unstack(part, 1));
    // Within the loop the gates have TensorFlow's order.
    const [otherWeight, gatesWeight] = tf.split(hiddenWeight, [attentionSize + featureSize, 4 * size], 0);
    const gatesGradient = lstmGatesGradient(batch, gatesWeight);
    const backToGated = repeatedProduct(swapMiddleQuarters(contextWeight, 0));
    const backToHidden = repeatedProduct(tf.concat([otherWeight, swapMiddleQuarters(gatesWeight, 0)], 0));
    const dGates: Tensor[] = new Array(steps), dFromHidden: Tensor[] = new Array(steps), dContexts: Tensor[] = new Array(steps);
    const dScores: Tensor[] = new Array(steps);
    let dProjected: Tensor[] = [], carried: Tensor = tf.zeros([batch, size]), dCell: Tensor = tf.zeros([batch, size]);
    for (let t = steps - 1; t >= 0; t--) {
      const [energy, weights, context, gate, , input, forget, candidate, output, squashed, cell] = kept(t);
      const step = tf.tidy(() => {
        const dh = tf.add(dHidden[t], carried);
        const { gates, cell: cellBefore } = gatesGradient({ input, forget, candidate, output, squashed }, cell, dh, dCell);
        const dGated = backToGated(gates);
        const dContext = tf.mul(dGated, gate);
        const dGate = gradientOf('SigmoidGrad', gate, tf.mul(dGated, context));
        // From the gradient of the context (and of the weights themselves) back to the attention's query.
        const da = tf.add(tf.reshape(matMul(tf.expandDims(dContext, 1), features, false, true), [batch, positions]), dWeights[t]);
        const dScore = tf.reshape(tf.mul(weights, tf.sub(da, tf.sum(tf.mul(weights, da), 1, true))), [batch * positions, 1]);
        const flat = tf.reshape(energy, [batch * positions, attentionSize]);
        const dEnergy = tf.reshape(activationGradient(activation, flat, matMul(dScore, scoreWeight)), [batch, positions, attentionSize]);
        const fromHidden = tf.concat([tf.sum(dEnergy, 1), dGate, gates], 1);
        const dScoreWeight = matMul(dScore, flat, true);
        return { gates, fromHidden, dContext, dEnergy, dScoreWeight, carried: backToHidden(fromHidden), dCell: cellBefore };
      });
      tf.dispose([carried, dCell, dHidden[t], dWeights[t]]);
      [dGates[t], dFromHidden[t], dContexts[t], dScores[t]] = [step.gates, step.fromHidden, step.dContext, step.dScoreWeight];
      ({ carried, dCell } = step);
      dProjected.push(step.dEnergy);
      if (dProjected.length < addedAtOnce && t > 0) continue;
      const sum = tf.addN(dProjected);
      tf.dispose(dProjected);
      dProjected = [sum];
    }
    const overTime = (tensors: Tensor[]) => tf.concat(tensors, 0);
    const gateRows = swapMiddleQuarters(overTime(dGates), 1), dRows = overTime(dFromHidden);
    const [dOtherWeight, dGatesWeight] = tf.split(matMul(dRows, overTime(hiddens), true), [attentionSize + featureSize, 4 * size], 0);
    return [
      matMul(tf.stack(hiddens.map((_, t) => kept(t)[1]), 2), tf.stack(dContexts, 1)),
      dProjected[0],
      tf.reshape(gateRows, [steps, batch, 4 * size]),
      carried,
      dCell,
      matMul(gateRows, overTime(hiddens.map((_, t) => kept(t)[4])), true),
      tf.concat([dOtherWeight, swapMiddleQuarters(dGatesWeight, 0)], 0),
      tf.sum(tf.slice(dRows, [0, attentionSize], [steps * batch, featureSize]), 0),
      tf.addN(dScores),
    ];
  };

  return customGradient([features, projected, wordGates, initialHidden, initialCell, contextWeight, hiddenWeight, gateBias, scoreWeight],
    forward, (dy, saved) => tf.tidy(() => backward(dy, saved)));
}
