import assert from 'node:assert/strict';
import { matMul, randomUniform, tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { attend, attentionLstm, type AttentionActivation, type AttentionLstmInputs } from '../../lib/nn';
import { lstmGates } from '../../lib/nn/lstm-sequence';
import { relativeTo } from '../relative-to';

/** Features as wide as those whose products are padded, more words than gradients are added at once. */
const images = 2, words = 19, positions = 3, featureSize = 512, attentionSize = 4, hidden = 6;
const shapes: Record<keyof AttentionLstmInputs, number[]> = {
  features: [images, positions, featureSize], projected: [images, positions, attentionSize], wordGates: [words, images, 4 * hidden],
  initialHidden: [images, hidden], initialCell: [images, hidden], contextWeight: [4 * hidden, featureSize],
  hiddenWeight: [attentionSize + featureSize + 4 * hidden, hidden], gateBias: [featureSize], scoreWeight: [1, attentionSize],
};
const names = Object.keys(shapes) as (keyof AttentionLstmInputs)[];

/** The same word by word, which TensorFlow.js differentiates by itself. */
function wordByWord(inputs: AttentionLstmInputs, activation: AttentionActivation): Tensor {
  const { features, projected, wordGates, contextWeight, hiddenWeight, gateBias, scoreWeight } = inputs;
  let { initialHidden: h, initialCell: c } = inputs;
  return tf.stack(tf.unstack(wordGates, 0).map((fromWord) => {
    const [query, gate, gates] = tf.split(matMul(h, hiddenWeight, false, true), [attentionSize, featureSize, 4 * hidden], 1);
    const { weights, context } = attend(features, projected, query, scoreWeight, activation);
    const gated = tf.mul(context, tf.sigmoid(tf.add(gate, gateBias)));
    ({ hidden: h, cell: c } = lstmGates(tf.addN([fromWord, gates, matMul(gated, contextWeight, false, true)]), c));
    return tf.concat([h, weights], 1);
  }), 1);
}

describe('attentionLstm', () => {
  for (const activation of ['tanh', 'relu'] as const) {
    it(`has the values and gradients of the equations taken word by word, ${activation}`, () => {
      const before = tensorCount();
      tf.tidy(() => {
        const random = (shape: number[], seed: number) => tf.sub(randomUniform(shape, [seed, 7]), 0.5);
        const tensors = names.map((name, i) => random(shapes[name], i));
        const dy = random([images, words, hidden + positions], 99);
        const run = (forward: typeof wordByWord) => valueAndGradients(() => {
          const inputs = Object.fromEntries(names.map((name, i) => [name, tensors[i]])) as unknown as AttentionLstmInputs;
          return tf.sum(tf.mul(forward(inputs, activation), dy)) as Scalar;
        }, tensors);
        const whole = run(attentionLstm), expected = run(wordByWord);
        relativeTo(whole.value.dataSync(), expected.value.dataSync(), 1e-5, 'loss');
        for (const [i, name] of names.entries()) {
          relativeTo(whole.gradients[i]!.dataSync(), expected.gradients[i]!.dataSync(), 1e-5, `gradient of ${name}`);
        }
      });
      assert.equal(tensorCount(), before);
    });
  }
});
