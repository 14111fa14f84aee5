/**
 * Report 004: a Transformer decoder (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762) on a frozen image encoder's features. Its layers are
 * those of torch.nn.TransformerDecoder with the same parameter names, normalised after each residual sum; positions are learnt.
 */
import { Random, tf, type Scalar, type Tensor, type Tensor2D } from '../engine';
import type { DecoderStep, RowState } from '../generation';
import { activation, attentionMask, Dropout, Embedding, LayerNorm, Linear, Module, MultiHeadAttention, normal, type ProjectedMemory } from '../nn';
import { imageStepDecoder, wordLosses, type CaptionBatch, type CaptionDecoder, type CaptionLosses, type DisposableStepDecoder, type StepDecoderOptions } from './caption-decoder';

export interface TransformerDecoderConfig {
  vocabSize: number;
  /** Features per image position (1,024 for DeiT-III-L and ViT-L). */
  featureSize: number;
  hiddenSize: number;
  numLayers: number;
  /** torch's `nhead`. */
  numHeads: number;
  /** Width inside the feed-forward part; 2,048 is torch's default, the report names none. */
  feedForwardSize: number;
  activation: 'gelu' | 'relu';
  dropout: number;
  /** Most words of a caption, start token included. */
  maxPositions: number;
}

export const transformerDecoderDefaults = {
  hiddenSize: 1024, numLayers: 4, numHeads: 8, feedForwardSize: 2048, activation: 'gelu', dropout: 0.1, maxPositions: 64,
} as const;

interface LayerOutput { hidden: Tensor; own: ProjectedMemory; /** To the words before. */ selfWeights: Tensor; /** To the picture. */ weights: Tensor }

/** torch.nn.TransformerDecoderLayer (norm_first=False). */
class DecoderLayer extends Module {
  readonly self_attn: MultiHeadAttention;
  readonly multihead_attn: MultiHeadAttention;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  private readonly dropout: Dropout;
  private readonly act: (x: Tensor) => Tensor;

  constructor({ hiddenSize, numHeads, feedForwardSize, activation: name, dropout }: TransformerDecoderConfig, random: Random) {
    super();
    this.self_attn = new MultiHeadAttention(hiddenSize, numHeads, random, dropout);
    this.multihead_attn = new MultiHeadAttention(hiddenSize, numHeads, random, dropout);
    this.linear1 = new Linear(hiddenSize, feedForwardSize, random);
    this.linear2 = new Linear(feedForwardSize, hiddenSize, random);
    [this.norm1, this.norm2, this.norm3] = [1, 2, 3].map(() => new LayerNorm(hiddenSize));
    this.dropout = new Dropout(dropout, random);
    this.act = activation(name);
  }

  /** x (B, T, hidden); the memory's keys may be those of fewer rows, k rows of x then share one (beams of a picture). */
  forward(x: Tensor, memory: ProjectedMemory, mask: Tensor | null, past?: ProjectedMemory): LayerOutput {
    return tf.tidy(() => {
      const own = this.self_attn.toItself(x, { mask, past });
      const one = this.norm1.forward(tf.add(x, this.dropout.forward(own.output)));
      const [rows, length, width] = one.shape as [number, number, number], images = memory.key.shape[0];
      // Beams of one picture, a word each, look as so many words of one row: the keys are not repeated.
      const cross = this.multihead_attn.toMemory(tf.reshape(one, [images, (rows / images) * length, width]), memory);
      const two = this.norm2.forward(tf.add(one, this.dropout.forward(tf.reshape(cross.output, [rows, length, width]))));
      const inner = this.dropout.forward(this.act(this.linear1.forward(two)));
      const hidden = this.norm3.forward(tf.add(two, this.dropout.forward(this.linear2.forward(inner))));
      return { hidden, own: { key: own.key, value: own.value }, selfWeights: own.weights, weights: cross.weights } as never;
    });
  }
}

class Layers extends Module {
  readonly layers: DecoderLayer[];

  constructor(config: TransformerDecoderConfig, random: Random) {
    super();
    this.layers = Array.from({ length: config.numLayers }, () => new DecoderLayer(config, random));
  }
}

export class TransformerDecoder extends Module implements CaptionDecoder {
  static readonly modelType = 'transformer_captioner';
  /** Features to the decoder's width; absent where they have it. */
  readonly encoder_proj?: Linear;
  readonly embedding: Embedding;
  readonly position_embedding: Embedding;
  readonly decoder: Layers;
  readonly head: Linear;
  private readonly dropout: Dropout;

  constructor(readonly config: TransformerDecoderConfig, random: Random) {
    super();
    const { vocabSize, featureSize, hiddenSize, maxPositions, dropout } = config;
    if (featureSize !== hiddenSize) this.encoder_proj = new Linear(featureSize, hiddenSize, random);
    this.embedding = new Embedding(vocabSize, hiddenSize, random);
    this.position_embedding = new Embedding(maxPositions, hiddenSize, random);
    for (const { weight } of [this.embedding, this.position_embedding]) weight.assign(normal(weight.shape, 0.02, random));
    this.decoder = new Layers(config, random);
    this.head = new Linear(hiddenSize, vocabSize, random);
    this.dropout = new Dropout(dropout, random);
  }

  /** Each layer's keys and values of the features (B, L, F). */
  private memories(features: Tensor): ProjectedMemory[] {
    return tf.tidy(() => {
      const memory = this.encoder_proj ? this.encoder_proj.forward(features) : features;
      return this.decoder.layers.map((layer) => layer.multihead_attn.memory(memory)) as never;
    });
  }

  private embed(ids: Tensor, from: number): Tensor {
    const length = ids.shape[1]!;
    if (from + length > this.config.maxPositions) throw new Error(`${from + length} positions, but this decoder has ${this.config.maxPositions}: shorten the captions.`);
    return this.dropout.forward(tf.add(this.embedding.forward(ids), this.position_embedding.forward(tf.range(from, from + length, 1, 'int32').expandDims(0))));
  }

  /** Features (B, L, F), ids (B, T) → logits (B, T, vocabulary), each layer's attention to the words (B, heads, T, T) and the picture (B, heads, T, L). */
  forward(features: Tensor, inputIds: Tensor2D): { logits: Tensor; selfAttentions: Tensor[]; crossAttentions: Tensor[] } {
    return tf.tidy(() => {
      const length = inputIds.shape[1];
      const mask = attentionMask({ causal: { queries: length, keys: length } });
      const memories = this.memories(features), selfAttentions: Tensor[] = [], crossAttentions: Tensor[] = [];
      let hidden = this.embed(inputIds, 0);
      for (const [i, layer] of this.decoder.layers.entries()) {
        const { hidden: next, own, selfWeights, weights } = layer.forward(hidden, memories[i], mask);
        tf.dispose([own.key, own.value]);
        hidden = next;
        selfAttentions.push(selfWeights);
        crossAttentions.push(weights);
      }
      return { logits: this.head.forward(hidden), selfAttentions, crossAttentions } as never;
    });
  }

  /** Mean cross entropy per word, padding ignored. */
  loss(batch: CaptionBatch): Scalar { return tf.tidy(() => this.losses(batch).loss); }

  losses({ features, inputIds, labels }: CaptionBatch): CaptionLosses {
    return tf.tidy(() => wordLosses(this.forward(features, inputIds).logits, labels) as never);
  }

  /** Its attention is the mean over layers and heads; with `outputAttentions` [layers, heads, positions]. */
  stepDecoder(features: Tensor, { outputAttentions = false }: StepDecoderOptions = {}): DisposableStepDecoder {
    const { vocabSize, hiddenSize, numHeads, numLayers, maxPositions } = this.config, positions = features.shape[1]!;
    return imageStepDecoder(this.memories(features).flatMap(({ key, value }) => [key, value]), (memories) => ({
      vocabSize, maxPositions,
      attentionShape: outputAttentions ? [numLayers, numHeads, positions] : [positions],
      start: (images: number, beams: number): RowState =>
        Array.from({ length: 2 * numLayers }, () => tf.zeros([images * beams, numHeads, 0, hiddenSize / numHeads])),
      step: (ids: Int32Array, state: RowState): DecoderStep => {
        const [logits, looked, ...next] = tf.tidy(() => {
          const rows = ids.length, images = memories[0].shape[0], weights: Tensor[] = [], caches: Tensor[] = [];
          let hidden = this.embed(tf.tensor2d(ids, [rows, 1], 'int32'), state[0].shape[2]!);
          for (const [i, layer] of this.decoder.layers.entries()) {
            const out = layer.forward(hidden, { key: memories[2 * i], value: memories[2 * i + 1] }, null, { key: state[2 * i], value: state[2 * i + 1] });
            hidden = out.hidden;
            caches.push(out.own.key, out.own.value);
            // (images, heads, beams, positions) → (rows, heads, positions)
            weights.push(tf.reshape(tf.transpose(tf.reshape(out.weights, [images, numHeads, rows / images, positions]), [0, 2, 1, 3]), [rows, numHeads, positions]));
          }
          const all = tf.stack(weights, 1); // (rows, layers, heads, positions)
          return [tf.reshape(this.head.forward(hidden), [rows, vocabSize]), outputAttentions ? all : tf.mean(all, [1, 2]), ...caches];
        });
        return { logits, state: next, attention: looked };
      },
    }));
  }
}
