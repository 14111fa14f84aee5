import assert from 'node:assert/strict';
import { Random, tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { DeiT3, ViTModel } from '../../lib/models';
import { closeTo } from '../close-to';

/** Loss and gradients with and without recomputing. */
function bothWays(model: (ViTModel | DeiT3), random: Random): Float32Array[][] {
  const pixelValues = tf.randomNormal([2, 8, 8, 3], 0, 1, 'float32', 7) as Tensor, seeds = random.save();
  model.train();
  const results = [false, true].map((isCheckpointed) => {
    model.gradientCheckpointing = isCheckpointed;
    random.restore(seeds);
    const loss = (): Scalar => tf.tidy(() => tf.mean(tf.square(model.forward({ pixelValues }).lastHiddenState.slice([0, 0, 0], [2, 1, 4]))) as Scalar);
    const { value, gradients } = valueAndGradients(loss, model.trainableParameters().map(({ tensor }) => tensor));
    const all = [value, ...gradients].map((tensor) => (tensor ? tensor.dataSync() as Float32Array : new Float32Array()));
    tf.dispose([value, gradients] as never);
    return all;
  });
  pixelValues.dispose();
  return results;
}

describe('gradient checkpointing', () => {
  it('gives the loss and gradients of a ViT with dropout', () => {
    const random = new Random(3), before = tensorCount();
    const config = { imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 3, numAttentionHeads: 2, intermediateSize: 16 };
    const model = new ViTModel({ ...config, hiddenDropoutProb: 0.2 }, random);
    for (const [i, p] of model.parameters().entries()) p.assign(tf.randomNormal(p.shape, 0, 0.5, 'float32', i));
    const [plain, again] = bothWays(model, random);
    for (const [i, values] of plain.entries()) closeTo(again[i], values, 1e-5);
    model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('gives those of a DeiT-III whose first block is frozen', () => {
    const model = new DeiT3({ imgSize: 8, patchSize: 4, embedDim: 8, depth: 3, numHeads: 2, numClasses: 2 }, new Random(3));
    for (const [i, p] of model.parameters().entries()) p.assign(tf.randomNormal(p.shape, 0, 0.5, 'float32', i));
    model.blocks[0].freeze();
    const [plain, again] = bothWays(model, new Random(1));
    assert.equal(plain.length, again.length);
    for (const [i, values] of plain.entries()) closeTo(again[i], values, 1e-5);
    model.dispose();
  });
});
