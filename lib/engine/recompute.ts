import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { customGradient, valueAndGradients } from './gradients';
import { after, keepingSeeds, repeatingSeeds } from './recording';
import { tf } from './tensorflow';

/**
 * `fn(x)`, of which nothing but x is kept for the backward pass: that computes `fn` once more, with the same random values (gradient
 * checkpointing; Chen et al. 2016, https://arxiv.org/abs/1604.06174). A third more time for the memory of everything inside.
 *
 * @param parameters what `fn` reads beside x and is to have gradients
 */
export function recomputed(fn: (x: Tensor) => Tensor, x: Tensor, parameters: readonly Tensor[]): Tensor {
  return customGradient([x, ...parameters], (save) => {
    const { result, seeds } = keepingSeeds(() => fn(x));
    save(x, ...seeds);
    tf.dispose(seeds);
    return result;
  }, (dy, [saved, ...seeds]) => {
    // In a graph nothing else would keep it from being computed with the first time, or from being taken for the same.
    const again = after(saved, dy), inputs = [again, ...parameters];
    const { value, gradients } = repeatingSeeds(seeds, () => valueAndGradients(() => tf.sum(tf.mul(fn(again), dy)), inputs));
    value.dispose();
    return gradients.map((gradient, i) => gradient ?? tf.zerosLike(inputs[i]));
  });
}
