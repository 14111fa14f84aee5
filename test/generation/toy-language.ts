import { Random, tf } from '../../lib/engine';
import type { StepDecoder } from '../../lib/generation';

export const START = 0, END = 1, VOCAB = 5;

export interface Toy extends StepDecoder { logProbability(image: number, tokens: readonly number[]): number }

/**
 * A toy language whose next-token logits depend on the last two tokens, by a random table; each image has a table of its own.
 * Its state is the last token, so that a beam that is not reordered would show. The prompt's last token but one is START unless given.
 */
export function toy(images: number, seed: number, before: number[] = new Array<number>(images).fill(START)): Toy {
  const random = new Random(seed);
  return speaking(Array.from({ length: images }, () => Float32Array.from({ length: VOCAB * VOCAB * VOCAB }, () => 4 * random.uniform())), before);
}

function speaking(table: readonly Float32Array[], before: readonly number[]): Toy {
  const row = (image: number, previous: number, last: number) => {
    const from = (previous * VOCAB + last) * VOCAB;
    return table[image].subarray(from, from + VOCAB);
  };
  return {
    vocabSize: VOCAB,
    attentionShape: [1],
    start: (count, beams) => [tf.tensor2d(before.flatMap((token) => new Array<number>(beams).fill(token)), [count * beams, 1])],
    step: (last, [state]) => {
      const previous = state.dataSync(), perImage = last.length / table.length;
      const logits = Float32Array.from(Array.from(last, (token, r) =>
        Array.from(row(Math.floor(r / perImage), previous[r], token))).flat());
      return {
        logits: tf.tensor2d(logits, [last.length, VOCAB]), state: [tf.tensor2d(Float32Array.from(last), [last.length, 1])],
        attention: tf.tensor2d(Float32Array.from(last), [last.length, 1]),
      };
    },
    logProbability: (image, tokens) => {
      let previous = before[image], last = START, sum = 0;
      for (const token of tokens) {
        const logits = Array.from(row(image, previous, last));
        sum += logits[token] - Math.log(logits.reduce((a, x) => a + Math.exp(x), 0));
        [previous, last] = [last, token];
      }
      return sum;
    },
    select: (images) => ({ ...speaking(Array.from(images, (image) => table[image]), Array.from(images, (image) => before[image])), dispose: () => {} }),
  };
}

export const prompt = (images: number) => ({ promptIds: Array.from({ length: images }, () => [START]), eosTokenId: END, padTokenId: 4 });
