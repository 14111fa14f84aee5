/**
 * Vision Transformer (Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929) with the parameter names of Hugging Face's checkpoints
 * (transformers/models/vit); ./vit-timm translates timm's. Layers normalise before attention and MLP; position embeddings are learnt.
 */
import { crossEntropy, Random, tf, type Tensor, type Tensor1D, type Tensor2D } from '../engine';
import { type Activation, activation, checkpointed, Conv2d, Dropout, LayerNorm, Linear, Module, normal, Parameter } from '../nn';
import { Dense, SelfAttention } from './hugging-face-layers';
import { channelsLast } from './pixel-values';

/** The keys of config.json that the network depends on. */
export interface ViTConfig {
  imageSize: number;
  patchSize: number;
  numChannels: number;
  hiddenSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  intermediateSize: number;
  hiddenAct: Activation;
  layerNormEps: number;
  qkvBias: boolean;
  hiddenDropoutProb: number;
  attentionProbsDropoutProb: number;
}

/** ViT-B/16 at 224 pixels. */
export const vitDefaults: ViTConfig = {
  imageSize: 224, patchSize: 16, numChannels: 3, hiddenSize: 768, numHiddenLayers: 12, numAttentionHeads: 12, intermediateSize: 3072,
  hiddenAct: 'gelu', layerNormEps: 1e-12, qkvBias: true, hiddenDropoutProb: 0, attentionProbsDropoutProb: 0,
};

/** Widths of the published sizes; patch and image size vary by checkpoint. */
export const vitSizes = {
  small: { hiddenSize: 384, numHiddenLayers: 12, numAttentionHeads: 6, intermediateSize: 1536 },
  base: { hiddenSize: 768, numHiddenLayers: 12, numAttentionHeads: 12, intermediateSize: 3072 },
  large: { hiddenSize: 1024, numHiddenLayers: 24, numAttentionHeads: 16, intermediateSize: 4096 },
} as const satisfies Record<string, Partial<ViTConfig>>;

export interface ViTInputs {
  /** (B, C, H, W) as checkpoints' processors give it, or (B, H, W, C); the shape tells which. */
  pixelValues: Tensor;
  outputHiddenStates?: boolean;
  outputAttentions?: boolean;
}

/** T = 1 + patches: the class token comes first. All tensors are the caller's to dispose. */
export interface ViTOutputs {
  /** (B, T, hidden), after the final normalisation */
  lastHiddenState: Tensor;
  /** (B, hidden), where the checkpoint has a pooler */
  poolerOutput?: Tensor;
  /** The embeddings and each layer's output, (B, T, hidden), before the final normalisation */
  hiddenStates?: Tensor[];
  /** Each layer's weights, (B, heads, T, T) */
  attentions?: Tensor[];
}

class PatchEmbeddings extends Module {
  readonly projection: Conv2d;

  constructor(private readonly config: ViTConfig, random: Random) {
    super();
    const { numChannels, hiddenSize, patchSize } = config;
    this.projection = new Conv2d(numChannels, hiddenSize, random, { kernelSize: patchSize, stride: patchSize, padding: 'valid', bias: true });
  }

  forward(pixelValues: Tensor): Tensor {
    const { numChannels, imageSize, hiddenSize } = this.config;
    const map = this.projection.forward(channelsLast(pixelValues, numChannels, imageSize)); // (B, H/p, W/p, hidden)
    return tf.reshape(map, [map.shape[0], -1, hiddenSize]);
  }
}

class Embeddings extends Module {
  readonly cls_token: Parameter;
  readonly position_embeddings: Parameter;
  readonly patch_embeddings: PatchEmbeddings;
  readonly dropout: Dropout;

  constructor(config: ViTConfig, random: Random) {
    super();
    const { hiddenSize } = config;
    const patches = Math.floor(config.imageSize / config.patchSize) ** 2;
    this.cls_token = new Parameter(normal([1, 1, hiddenSize], 0.02, random));
    this.position_embeddings = new Parameter(normal([1, patches + 1, hiddenSize], 0.02, random));
    this.patch_embeddings = new PatchEmbeddings(config, random);
    this.dropout = new Dropout(config.hiddenDropoutProb, random);
  }

  forward(pixelValues: Tensor): Tensor {
    const patches = this.patch_embeddings.forward(pixelValues);
    const first = tf.tile(this.cls_token.tensor, [patches.shape[0], 1, 1]);
    return this.dropout.forward(tf.add(tf.concat([first, patches], 1), this.position_embeddings.tensor));
  }
}

/** The checkpoint's `attention.attention.query …`, `attention.output.dense`. */
class Attention extends Module {
  readonly attention: SelfAttention;
  readonly output: Dense;

  constructor(config: ViTConfig, random: Random) {
    super();
    this.attention = new SelfAttention(config, random);
    this.output = new Dense(config.hiddenSize, config.hiddenSize, random);
  }
}

class Layer extends Module {
  readonly layernorm_before: LayerNorm;
  readonly attention: Attention;
  readonly layernorm_after: LayerNorm;
  readonly intermediate: Dense;
  readonly output: Dense;
  readonly dropout: Dropout;
  private readonly act: (x: Tensor) => Tensor;

  constructor(config: ViTConfig, random: Random) {
    super();
    const { hiddenSize, intermediateSize, layerNormEps } = config;
    this.layernorm_before = new LayerNorm(hiddenSize, layerNormEps);
    this.attention = new Attention(config, random);
    this.layernorm_after = new LayerNorm(hiddenSize, layerNormEps);
    this.intermediate = new Dense(hiddenSize, intermediateSize, random);
    this.output = new Dense(intermediateSize, hiddenSize, random);
    this.dropout = new Dropout(config.hiddenDropoutProb, random);
    this.act = activation(config.hiddenAct);
  }

  forward(x: Tensor): { hidden: Tensor; weights: Tensor } {
    const [hidden, weights] = tf.tidy(() => {
      const { output, weights } = this.attention.attention.forward(this.layernorm_before.forward(x));
      const attended = tf.add(x, this.dropout.forward(this.attention.output.forward(output)));
      const inner = this.act(this.intermediate.forward(this.layernorm_after.forward(attended)));
      return [tf.add(attended, this.dropout.forward(this.output.forward(inner))), weights];
    });
    return { hidden, weights };
  }
}

class Encoder extends Module {
  readonly layer: Layer[];

  constructor(config: ViTConfig, random: Random) {
    super();
    this.layer = Array.from({ length: config.numHiddenLayers }, () => new Layer(config, random));
  }
}

/** ViT without a classifier (ViTModel); `pooler` where the checkpoint has one. */
export class ViTModel extends Module {
  /** In training, keeps each block's input alone for the backward pass, which computes the rest again: less memory, more time. */
  gradientCheckpointing = false;
  readonly config: ViTConfig;
  readonly embeddings: Embeddings;
  readonly encoder: Encoder;
  readonly layernorm: LayerNorm;
  readonly pooler?: Dense;

  constructor(config: Partial<ViTConfig> = {}, random = new Random(0), { pooler = false } = {}) {
    super();
    this.config = { ...vitDefaults, ...config };
    this.embeddings = new Embeddings(this.config, random);
    this.encoder = new Encoder(this.config, random);
    this.layernorm = new LayerNorm(this.config.hiddenSize, this.config.layerNormEps);
    if (pooler) this.pooler = new Dense(this.config.hiddenSize, this.config.hiddenSize, random);
  }

  forward({ pixelValues, outputHiddenStates = false, outputAttentions = false }: ViTInputs): ViTOutputs {
    return tf.tidy(() => {
      let hidden = this.embeddings.forward(pixelValues);
      const hiddenStates = [hidden], attentions: Tensor[] = [];
      for (const layer of this.encoder.layer) {
        const isCheckpointed = this.gradientCheckpointing && this.training && !outputAttentions;
        const { hidden: next, weights }: { hidden: Tensor; weights?: Tensor } = isCheckpointed ? checkpointed(layer, hidden) : layer.forward(hidden);
        hidden = next;
        if (outputHiddenStates) hiddenStates.push(hidden);
        if (outputAttentions) attentions.push(weights!);
        else weights?.dispose();
      }
      const lastHiddenState = this.layernorm.forward(hidden);
      return {
        lastHiddenState,
        ...(this.pooler ? { poolerOutput: tf.tanh(this.pooler.forward(classToken(lastHiddenState))) } : {}),
        ...(outputHiddenStates ? { hiddenStates } : {}),
        ...(outputAttentions ? { attentions } : {}),
      } as never;
    });
  }
}

/** (B, T, hidden) → (B, hidden): the first position. */
const classToken = (states: Tensor): Tensor => tf.reshape(tf.slice(states, [0, 0, 0], [-1, 1, -1]), [states.shape[0], states.shape[2]!]);

export interface ViTClassificationOutputs extends ViTOutputs {
  /** (B, classes) */
  logits: Tensor;
  /** Mean cross entropy, where labels were given */
  loss?: Tensor;
}

/** ViT with a linear classifier on the class token (ViTForImageClassification). */
export class ViTForImageClassification extends Module {
  readonly vit: ViTModel;
  readonly classifier: Linear;

  constructor(config: Partial<ViTConfig>, readonly numLabels: number, random = new Random(0)) {
    super();
    this.vit = new ViTModel(config, random);
    this.classifier = new Linear(this.vit.config.hiddenSize, numLabels, random);
  }

  get config(): ViTConfig { return this.vit.config; }

  /** `labels` (B) int32. */
  forward({ labels, ...inputs }: ViTInputs & { labels?: Tensor }): ViTClassificationOutputs {
    return tf.tidy(() => {
      const outputs = this.vit.forward(inputs);
      const logits = this.classifier.forward(classToken(outputs.lastHiddenState));
      return { ...outputs, logits, ...(labels ? { loss: crossEntropy(logits as Tensor2D, labels as Tensor1D) } : {}) } as never;
    });
  }
}
