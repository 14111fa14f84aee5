import { customGradient, matMul, nativeOp, repeatedProduct, tf, type Tensor } from '../engine';
import { attend } from './additive-attention';
import { gruGates } from './gru';

/** Tensors of one pass of an attention GRU over a whole sequence. B images, T words, L positions, F features, A attention size, H hidden. */
export interface AttentionGruInputs {
  /** (B, L, F) */
  features: Tensor;
  /** (B, L, A): W_f·feature + b */
  projected: Tensor;
  /** (T, B, 3H): the words' part of the gates, bias included; steps first, so that each is one piece of memory */
  wordGates: Tensor;
  /** (B, H) */
  initialHidden: Tensor;
  /** (3H, F): the context's part of the gates */
  contextWeight: Tensor;
  /** (A + 3H, H): the attention query's and the hidden state's weights, stacked */
  hiddenWeight: Tensor;
  /** (3H) */
  hiddenBias: Tensor;
  /** (1, A) */
  scoreWeight: Tensor;
}

const tanhGradient = (y: Tensor, dy: Tensor): Tensor => nativeOp('TanhGrad', { T: { dtype: 'float32' } }, [y, dy])[0];
const sigmoidGradient = (y: Tensor, dy: Tensor): Tensor => nativeOp('SigmoidGrad', { T: { dtype: 'float32' } }, [y, dy])[0];

/**
 * Runs the attention GRU over all words at once, with a gradient of its own: the backward pass goes through time once and then
 * forms each weight's gradient in one large product, where a tape would add up T small ones.
 *
 * @param once true computes the attention from the initial state only and repeats it for every word (report 003's behaviour)
 * @returns (B, T, H + L): hidden state and attention weights of every word, side by side
 */
export function attentionGru(inputs: AttentionGruInputs, once = false): Tensor {
  const { features, projected, wordGates, initialHidden, contextWeight, hiddenWeight, hiddenBias, scoreWeight } = inputs;
  const [batch, positions, attentionSize] = projected.shape as [number, number, number];
  const steps = wordGates.shape[0];
  const size = initialHidden.shape[1]!;

  const forward = (save: (...tensors: Tensor[]) => void): Tensor => {
    const words = tf.unstack(wordGates, 0);
    const hiddens: Tensor[] = [initialHidden];
    const kept: Tensor[][] = [];
    let attended: ReturnType<typeof attend> | undefined;
    for (let t = 0; t < steps; t++) {
      const hidden = hiddens[t];
      const fromHidden = matMul(hidden, hiddenWeight, false, true);
      if (!attended || !once) attended = attend(features, projected, tf.slice(fromHidden, [0, 0], [batch, attentionSize]), scoreWeight);
      const { energy, weights, context } = attended;
      const gi = tf.add(words[t], matMul(context, contextWeight, false, true));
      const gh = tf.add(tf.slice(fromHidden, [0, attentionSize], [batch, 3 * size]), hiddenBias);
      const { reset, update, candidate, hiddenNew, next } = gruGates(gi, gh, hidden);
      hiddens.push(next);
      kept.push([energy, weights, context, reset, update, candidate, hiddenNew]);
    }
    save(features, contextWeight, hiddenWeight, scoreWeight, ...hiddens.slice(0, steps), ...kept.flat());
    return tf.concat([tf.stack(hiddens.slice(1), 1), tf.stack(kept.map((k) => k[1]), 1)], 2);
  };

  const backward = (dy: Tensor, [features, contextWeight, hiddenWeight, scoreWeight, ...saved]: Tensor[]): Tensor[] => {
    const hiddens = saved.slice(0, steps);
    const kept = (t: number) => saved.slice(steps + 7 * t, steps + 7 * t + 7);
    const dHidden = tf.unstack(tf.slice(dy, [0, 0, 0], [batch, steps, size]), 1);
    const dWeights = tf.unstack(tf.slice(dy, [0, 0, size], [batch, steps, positions]), 1);
    const dGatesOfInput: Tensor[] = new Array(steps), dGatesOfHidden: Tensor[] = new Array(steps), dContexts: Tensor[] = new Array(steps);
    const dProjected: Tensor[] = [], dScoreWeights: Tensor[] = [];

    // From the gradient of the context (and of the weights themselves) back to the attention's query.
    const attendBackward = (energy: Tensor, weights: Tensor, dContext: Tensor, dWeight: Tensor): Tensor => {
      const fromContext = tf.reshape(matMul(tf.expandDims(dContext, 1), features, false, true), [batch, positions]);
      const da = tf.add(fromContext, dWeight);
      const dScores = tf.mul(weights, tf.sub(da, tf.sum(tf.mul(weights, da), 1, true)));
      const column = tf.reshape(dScores, [batch * positions, 1]);
      const flat = tf.reshape(energy, [batch * positions, attentionSize]);
      dScoreWeights.push(matMul(column, flat, true));
      const dEnergy = tf.reshape(tanhGradient(flat, matMul(column, scoreWeight)), [batch, positions, attentionSize]);
      dProjected.push(dEnergy);
      return tf.sum(dEnergy, 1);
    };

    const backToContext = repeatedProduct(contextWeight), backToHidden = repeatedProduct(hiddenWeight);
    let carried: Tensor = tf.zeros([batch, size]);
    let dContextSum: Tensor | undefined, dWeightSum: Tensor | undefined;
    for (let t = steps - 1; t >= 0; t--) {
      const [energy, weights, , reset, update, candidate, hiddenNew] = kept(t);
      const hidden = hiddens[t];
      const dh = tf.add(dHidden[t], carried);
      const dUpdate = sigmoidGradient(update, tf.mul(dh, tf.sub(hidden, candidate)));
      const through = tf.mul(dh, update);
      const dCandidate = tanhGradient(candidate, tf.sub(dh, through));
      const dReset = sigmoidGradient(reset, tf.mul(dCandidate, hiddenNew));
      dGatesOfInput[t] = tf.concat([dReset, dUpdate, dCandidate], 1);
      const dContext = dContexts[t] = backToContext(dGatesOfInput[t]);
      let dQuery: Tensor;
      if (!once) dQuery = attendBackward(energy, weights, dContext, dWeights[t]);
      else {
        dContextSum = dContextSum ? tf.add(dContextSum, dContext) : dContext;
        dWeightSum = dWeightSum ? tf.add(dWeightSum, dWeights[t]) : dWeights[t];
        dQuery = t === 0 ? attendBackward(energy, weights, dContextSum, dWeightSum) : tf.zeros([batch, attentionSize]);
      }
      dGatesOfHidden[t] = tf.concat([dQuery, dReset, dUpdate, tf.mul(dCandidate, reset)], 1);
      carried = tf.add(through, backToHidden(dGatesOfHidden[t]));
    }

    const overTime = (tensors: Tensor[]) => tf.concat(tensors, 0);
    const dGi = overTime(dGatesOfInput), dGh = overTime(dGatesOfHidden);
    const contexts = overTime(hiddens.map((_, t) => kept(t)[2]));
    const attention = tf.stack(hiddens.map((_, t) => kept(t)[1]), 2);
    return [
      matMul(attention, tf.stack(dContexts, 1)),
      dProjected.length === 1 ? dProjected[0] : tf.addN(dProjected),
      tf.reshape(dGi, [steps, batch, 3 * size]),
      carried,
      matMul(dGi, contexts, true),
      matMul(dGh, overTime(hiddens), true),
      tf.sum(tf.slice(dGh, [0, attentionSize], [steps * batch, 3 * size]), 0),
      dScoreWeights.length === 1 ? dScoreWeights[0] : tf.addN(dScoreWeights),
    ];
  };

  return customGradient([features, projected, wordGates, initialHidden, contextWeight, hiddenWeight, hiddenBias, scoreWeight],
    forward, (dy, saved) => tf.tidy(() => backward(dy, saved)));
}
