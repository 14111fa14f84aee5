import { customGradient, matMul, nativeOp, tf, type Tensor } from '../engine';
import { attend, type AttentionActivation } from './additive-attention';
import { lstmGates, lstmGatesGradient, swapMiddleQuarters } from './lstm-sequence';

/** Tensors of one pass of an attention LSTM over whole sentences. B images, T words, L positions, D features, A attention size, H hidden. */
export interface AttentionLstmInputs {
  /** (B, L, D) */
  features: Tensor;
  /** (B, L, A): the features' part of the attention's hidden layer, biases included */
  projected: Tensor;
  /** (B, T, 4H): the words' part of the LSTM's gates, biases included */
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
const columns = (x: Tensor, from: number, count: number): Tensor => tf.slice(x, [0, from], [x.shape[0], count]);

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
  const steps = wordGates.shape[1]!, size = initialHidden.shape[1]!, featureSize = features.shape[2]!;

  const forward = (save: (...tensors: Tensor[]) => void): Tensor => {
    const words = tf.unstack(wordGates, 1);
    const hiddens: Tensor[] = [initialHidden], kept: Tensor[][] = [];
    let cell = initialCell;
    for (let t = 0; t < steps; t++) {
      const fromHidden = matMul(hiddens[t], hiddenWeight, false, true);
      const { energy, weights, context } = attend(features, projected, columns(fromHidden, 0, attentionSize), scoreWeight, activation);
      const gate = tf.sigmoid(tf.add(columns(fromHidden, attentionSize, featureSize), gateBias));
      const gated = tf.mul(gate, context);
      const fromContext = matMul(gated, contextWeight, false, true);
      const next = lstmGates(tf.addN([words[t], fromContext, columns(fromHidden, attentionSize + featureSize, 4 * size)]), cell);
      kept.push([energy, weights, context, gate, gated, next.input, next.forget, next.candidate, next.output, next.squashed, cell]);
      tf.dispose([words[t], fromHidden, fromContext]);
      hiddens.push(next.hidden);
      cell = next.cell;
    }
    save(features, contextWeight, hiddenWeight, scoreWeight, ...hiddens.slice(0, steps), ...kept.flat());
    return tf.concat([tf.stack(hiddens.slice(1), 1), tf.stack(kept.map(([, weights]) => weights), 1)], 2);
  };

  const backward = (dy: Tensor, [features, contextWeight, hiddenWeight, scoreWeight, ...saved]: Tensor[]): Tensor[] => {
    const hiddens = saved.slice(0, steps);
    const kept = (t: number) => saved.slice(steps + 11 * t, steps + 11 * (t + 1));
    const dHidden = tf.unstack(tf.slice(dy, [0, 0, 0], [batch, steps, size]), 1);
    const dWeights = tf.unstack(tf.slice(dy, [0, 0, size], [batch, steps, positions]), 1);
    const gatesGradient = lstmGatesGradient(batch, tf.slice(hiddenWeight, [attentionSize + featureSize, 0], [4 * size, size]));
    const dGates: Tensor[] = new Array(steps), dFromHidden: Tensor[] = new Array(steps), dContexts: Tensor[] = new Array(steps);
    const dScores: Tensor[] = new Array(steps);
    let dProjected: Tensor | undefined, carried: Tensor = tf.zeros([batch, size]), dCell: Tensor = tf.zeros([batch, size]);
    for (let t = steps - 1; t >= 0; t--) {
      const [energy, weights, context, gate, , input, forget, candidate, output, squashed, cell] = kept(t);
      const step = tf.tidy(() => {
        const back = gatesGradient({ input, forget, candidate, output, squashed }, cell, tf.add(dHidden[t], carried), dCell);
        const gates = swapMiddleQuarters(back.gates, 1);
        const dGated = matMul(gates, contextWeight);
        const dContext = tf.mul(dGated, gate);
        const dGate = gradientOf('SigmoidGrad', gate, tf.mul(dGated, context));
        // From the gradient of the context (and of the weights themselves) back to the attention's query.
        const da = tf.add(tf.reshape(matMul(features, tf.expandDims(dContext, 2)), [batch, positions]), dWeights[t]);
        const dScore = tf.reshape(tf.mul(weights, tf.sub(da, tf.sum(tf.mul(weights, da), 1, true))), [batch * positions, 1]);
        const flat = tf.reshape(energy, [batch * positions, attentionSize]);
        const dEnergy = tf.reshape(activationGradient(activation, flat, matMul(dScore, scoreWeight)), [batch, positions, attentionSize]);
        const fromHidden = tf.concat([tf.sum(dEnergy, 1), dGate, gates], 1);
        return {
          gates, fromHidden, dContext, dScoreWeight: matMul(dScore, flat, true), carried: matMul(fromHidden, hiddenWeight), dCell: back.cell,
          dProjected: dProjected ? tf.add(dProjected, dEnergy) : dEnergy,
        };
      });
      tf.dispose([carried, dCell, dHidden[t], dWeights[t], ...(dProjected ? [dProjected] : [])]);
      [dGates[t], dFromHidden[t], dContexts[t], dScores[t]] = [step.gates, step.fromHidden, step.dContext, step.dScoreWeight];
      ({ carried, dCell, dProjected } = step);
    }
    const overTime = (tensors: Tensor[]) => tf.concat(tensors, 0);
    const dRows = overTime(dFromHidden);
    return [
      matMul(tf.stack(hiddens.map((_, t) => kept(t)[1]), 2), tf.stack(dContexts, 1)),
      dProjected!,
      tf.stack(dGates, 1),
      carried,
      dCell,
      matMul(overTime(dGates), overTime(hiddens.map((_, t) => kept(t)[4])), true),
      matMul(dRows, overTime(hiddens), true),
      tf.sum(columns(dRows, attentionSize, featureSize), 0),
      tf.addN(dScores),
    ];
  };

  return customGradient([features, projected, wordGates, initialHidden, initialCell, contextWeight, hiddenWeight, gateBias, scoreWeight],
    forward, (dy, saved) => tf.tidy(() => backward(dy, saved)));
}
