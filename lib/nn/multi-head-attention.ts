import { matMul, Random, tf, type Tensor } from '../engine';
import { attention, splitHeads, type AttentionOptions } from './attention';
import { Dropout } from './dropout';
import { uniform } from './initialization';
import { Linear } from './linear';
import { Module, Parameter } from './module';

/** Keys and values of what is attended to, (B, heads, S, size). */
export interface ProjectedMemory { key: Tensor; value: Tensor }

/** torch.nn.MultiheadAttention (batch_first, one width for all): query, key and value weights stacked in `in_proj_weight` (3E, E). */
export class MultiHeadAttention extends Module {
  readonly in_proj_weight: Parameter;
  readonly in_proj_bias: Parameter;
  readonly out_proj: Linear;
  private readonly dropout: Dropout;

  constructor(readonly width: number, readonly heads: number, random: Random, dropout = 0) {
    super();
    if (width % heads !== 0) throw new Error(`A width of ${width} does not divide into ${heads} heads.`);
    this.in_proj_weight = new Parameter(uniform([3 * width, width], Math.sqrt(6 / (4 * width)), random)); // Xavier, as torch
    this.in_proj_bias = new Parameter(tf.zeros([3 * width]));
    this.out_proj = new Linear(width, width, random);
    this.out_proj.bias!.assign(tf.zeros([width]));
    this.dropout = new Dropout(dropout, random);
  }

  /** x (B, T, E) by `parts` of the stacked weights from the part `from` on, each (B, heads, T, size). */
  private project(x: Tensor, from: number, parts: number): Tensor[] {
    const { width, heads } = this;
    const weight = tf.slice(this.in_proj_weight.tensor, [from * width, 0], [parts * width, width]);
    const bias = tf.slice(this.in_proj_bias.tensor, [from * width], [parts * width]);
    const rows = tf.add(matMul(tf.reshape(x, [-1, width]), weight, false, true), bias);
    const all = tf.reshape(rows, [x.shape[0], x.shape[1]!, parts * width]);
    return (parts === 1 ? [all] : tf.split(all, parts, 2)).map((part) => splitHeads(part, heads));
  }

  /** Keys and values of a memory (B, S, E): for a text that attends to it word after word, computed once. */
  memory(x: Tensor): ProjectedMemory {
    const [key, value] = tf.tidy(() => this.project(x, 1, 2));
    return { key, value };
  }

  /** x (B, T, E) to itself and to the keys and values before it; the keys and values returned hold both. */
  toItself(x: Tensor, { mask, past }: Pick<AttentionOptions, 'mask'> & { past?: ProjectedMemory } = {}): ProjectedMemory & { output: Tensor; weights: Tensor } {
    return tf.tidy(() => {
      const [query, newKey, newValue] = this.project(x, 0, 3);
      const key = past ? tf.concat([past.key, newKey], 2) : newKey, value = past ? tf.concat([past.value, newValue], 2) : newValue;
      const { output, weights } = attention(query, key, value, { mask, dropout: this.dropout });
      return { output: this.out_proj.forward(output), weights, key, value } as never;
    });
  }

  /** x (B, T, E) to a memory's keys and values (B, heads, S, size). */
  toMemory(x: Tensor, { key, value }: ProjectedMemory, mask: Tensor | null = null): { output: Tensor; weights: Tensor } {
    return tf.tidy(() => {
      const { output, weights } = attention(this.project(x, 0, 1)[0], key, value, { mask, dropout: this.dropout });
      return { output: this.out_proj.forward(output), weights } as never;
    });
  }
}
