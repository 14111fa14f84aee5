/**
 * Zero-shot classification with CLIP (Radford et al. 2021, https://arxiv.org/abs/2103.00020, section 3.1.2 and figure 1): the names of the
 * classes, put into a sentence, are the classifier's weights. A picture belongs to the class whose text it lies nearest to.
 */
import { matMul, tf, type Tensor2D } from '../engine';
import type { ClipEmbedder, Embeddings } from '../models';

/** Where a prompt has the name of the class. */
export const CLASS_NAME = '{object}';

/** A prompt, such as "a photo of a {object}", or several that make one classifier together. */
export type Prompts = string | readonly string[];

export interface ZeroShotPrediction {
  /** Position in `classes`. */
  label: number;
  /** One a class: softmax of the logits. */
  probabilities: number[];
  /** One a class: exp(logit_scale) times the cosine of picture and text, as CLIPModel's logits_per_image. */
  logits: number[];
}

export interface TopClass { label: number; name: string; probability: number }

/** The prompt with a class's name in every place of {object}. @throws Error when it has no such place */
export function fillPrompt(prompt: string, name: string): string {
  if (!prompt.includes(CLASS_NAME)) {
    throw new Error(`The prompt ${JSON.stringify(prompt)} has no place for the class: write ${CLASS_NAME} where its name belongs.`);
  }
  return prompt.split(CLASS_NAME).join(name);
}

/** CLIP and the names of classes. It keeps what the text tower made of each prompt: asked again, nothing is computed. */
export class ZeroShotClassifier {
  private readonly known = new Map<string, Embeddings>();
  private readonly scale: number;

  /** @param clip stays its owner's to dispose */
  constructor(readonly clip: ClipEmbedder, readonly classes: readonly string[]) {
    if (classes.length === 0) throw new Error('There are no classes: give their names.');
    this.scale = Math.exp(clip.model.logit_scale.tensor.dataSync()[0]);
  }

  /** How many prompts have gone through the text tower. */
  get promptsEmbedded(): number { return this.known.size; }

  /**
   * The classifier's weights (classes, size), rows of length 1. Several prompts: the mean of their rows of length 1, brought to length 1
   * again, as in OpenAI's evaluation on ImageNet.
   *
   * @throws Error when there is no prompt or one has no {object}
   */
  async classEmbeddings(prompts: Prompts, { signal }: { signal?: AbortSignal } = {}): Promise<Embeddings> {
    const list = typeof prompts === 'string' ? [prompts] : prompts;
    if (list.length === 0) throw new Error(`There is no prompt: give at least one with ${CLASS_NAME} in it.`);
    const rows: Embeddings[] = [];
    for (const prompt of list) {
      let embeddings = this.known.get(prompt);
      if (!embeddings) {
        embeddings = await this.clip.texts(this.classes.map((name) => fillPrompt(prompt, name)), { signal });
        this.known.set(prompt, embeddings);
      }
      rows.push(embeddings);
    }
    return rows.length === 1 ? rows[0] : meanDirection(rows);
  }

  /**
   * Classifies pictures by their embeddings (`clip.images`), which serve any number of prompts.
   *
   * @throws Error when the embeddings are of another CLIP
   */
  async predict(pictures: Embeddings, prompts: Prompts, options: { signal?: AbortSignal } = {}): Promise<ZeroShotPrediction[]> {
    const texts = await this.classEmbeddings(prompts, options);
    if (pictures.size !== texts.size) {
      throw new Error(`The pictures' embeddings have ${pictures.size} numbers, the texts' ${texts.size}: they are of different CLIPs.`);
    }
    const [logits, probabilities] = tf.tidy(() => {
      const scores = tf.mul(matMul(matrix(pictures), matrix(texts), false, true), this.scale) as Tensor2D;
      return [scores, tf.softmax(scores)].map((tensor) => tensor.arraySync() as number[][]);
    });
    return logits.map((row, i) => ({ label: row.indexOf(Math.max(...row)), probabilities: probabilities[i], logits: row }));
  }

  /** The `k` likeliest classes, the likeliest first. */
  top({ probabilities }: ZeroShotPrediction, k = 5): TopClass[] {
    return probabilities.map((probability, label) => ({ label, name: this.classes[label], probability }))
      .sort((a, b) => b.probability - a.probability || a.label - b.label).slice(0, k);
  }
}

const matrix = ({ values, count, size }: Embeddings): Tensor2D => tf.tensor2d(values, [count, size]);

/** Row by row the direction of the sum. */
function meanDirection(all: readonly Embeddings[]): Embeddings {
  const [{ count, size }] = all, values = new Float32Array(count * size);
  for (let row = 0; row < count; row++) {
    const sum = Float64Array.from({ length: size }, (_, k) => all.reduce((total, one) => total + one.values[row * size + k], 0));
    const length = Math.hypot(...sum);
    for (let k = 0; k < size; k++) values[row * size + k] = sum[k] / length;
  }
  return { values, count, size };
}
