/**
 * DeiT-III (Touvron et al. 2022, https://arxiv.org/abs/2204.07118) with timm's parameter names (timm/models/deit.py, vision_transformer.py): a
 * ViT whose residual branches are scaled channel by channel (`ls1.gamma`, `ls2.gamma`) and whose class token has no position.
 */
import { crossEntropy, Random, tf, type Tensor, type Tensor1D, type Tensor2D } from '../engine';
import { attention, checkpointed, Conv2d, gelu, LayerNorm, Linear, Module, normal, Parameter, splitHeads } from '../nn';
import { channelsLast } from './pixel-values';
import type { ViTClassificationOutputs, ViTInputs } from './vit';

/** Arguments of timm's VisionTransformer that differ between the published checkpoints. */
export interface DeiT3Config {
  imgSize: number;
  patchSize: number;
  inChans: number;
  embedDim: number;
  depth: number;
  numHeads: number;
  mlpRatio: number;
  numClasses: number;
  /** Start of the residual branches' scales. */
  initValues: number;
}

/** deit3_base_patch16_224. */
export const deit3Defaults: DeiT3Config = {
  imgSize: 224, patchSize: 16, inChans: 3, embedDim: 768, depth: 12, numHeads: 12, mlpRatio: 4, numClasses: 1000, initValues: 1e-6,
};

/** The published variants at 224 pixels; small, base and large also exist at 384 (`imgSize`). */
export const deit3Sizes = {
  small: { embedDim: 384, depth: 12, numHeads: 6 },
  medium: { embedDim: 512, depth: 12, numHeads: 8 },
  base: { embedDim: 768, depth: 12, numHeads: 12 },
  large: { embedDim: 1024, depth: 24, numHeads: 16 },
  huge: { embedDim: 1280, depth: 32, numHeads: 16, patchSize: 14 },
} as const satisfies Record<string, Partial<DeiT3Config>>;

const epsilon = 1e-6;

class Projection extends Module {
  readonly proj: Conv2d;

  constructor({ inChans, embedDim, patchSize }: DeiT3Config, random: Random) {
    super();
    this.proj = new Conv2d(inChans, embedDim, random, { kernelSize: patchSize, stride: patchSize, padding: 'valid', bias: true });
  }
}

class Attention extends Module {
  /** Query, key and value side by side. */
  readonly qkv: Linear;
  readonly proj: Linear;

  constructor(width: number, private readonly heads: number, random: Random) {
    super();
    this.qkv = new Linear(width, 3 * width, random);
    this.proj = new Linear(width, width, random);
  }

  forward(x: Tensor): { output: Tensor; weights: Tensor } {
    const [q, k, v] = tf.split(this.qkv.forward(x), 3, 2).map((part) => splitHeads(part, this.heads));
    const { output, weights } = attention(q, k, v);
    return { output: this.proj.forward(output), weights };
  }
}

class LayerScale extends Module {
  readonly gamma: Parameter;

  constructor(width: number, initial: number) {
    super();
    this.gamma = new Parameter(tf.fill([width], initial));
  }

  forward(x: Tensor): Tensor { return tf.mul(x, this.gamma.tensor); }
}

class MLP extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(width: number, inner: number, random: Random) {
    super();
    this.fc1 = new Linear(width, inner, random);
    this.fc2 = new Linear(inner, width, random);
  }

  forward(x: Tensor): Tensor { return this.fc2.forward(gelu(this.fc1.forward(x))); }
}

class Block extends Module {
  readonly norm1: LayerNorm;
  readonly attn: Attention;
  readonly ls1: LayerScale;
  readonly norm2: LayerNorm;
  readonly mlp: MLP;
  readonly ls2: LayerScale;

  constructor({ embedDim, numHeads, mlpRatio, initValues }: DeiT3Config, random: Random) {
    super();
    this.norm1 = new LayerNorm(embedDim, epsilon);
    this.attn = new Attention(embedDim, numHeads, random);
    this.ls1 = new LayerScale(embedDim, initValues);
    this.norm2 = new LayerNorm(embedDim, epsilon);
    this.mlp = new MLP(embedDim, Math.floor(embedDim * mlpRatio), random);
    this.ls2 = new LayerScale(embedDim, initValues);
  }

  forward(x: Tensor): { hidden: Tensor; weights: Tensor } {
    return tf.tidy(() => {
      const { output, weights } = this.attn.forward(this.norm1.forward(x));
      const attended = tf.add(x, this.ls1.forward(output));
      return { hidden: tf.add(attended, this.ls2.forward(this.mlp.forward(this.norm2.forward(attended)))), weights } as never;
    });
  }
}

export class DeiT3 extends Module {
  /** In training, keeps each block's input alone for the backward pass, which computes the rest again: less memory, more time. */
  gradientCheckpointing = false;
  readonly config: DeiT3Config;
  readonly cls_token: Parameter;
  readonly pos_embed: Parameter;
  readonly patch_embed: Projection;
  readonly blocks: Block[];
  readonly norm: LayerNorm;
  readonly head: Linear;

  constructor(config: Partial<DeiT3Config> = {}, random = new Random(0)) {
    super();
    this.config = { ...deit3Defaults, ...config };
    const { imgSize, patchSize, embedDim, depth, numClasses } = this.config;
    this.cls_token = new Parameter(normal([1, 1, embedDim], 0.02, random));
    this.pos_embed = new Parameter(normal([1, Math.floor(imgSize / patchSize) ** 2, embedDim], 0.02, random));
    this.patch_embed = new Projection(this.config, random);
    this.blocks = Array.from({ length: depth }, () => new Block(this.config, random));
    this.norm = new LayerNorm(embedDim, epsilon);
    this.head = new Linear(embedDim, numClasses, random);
  }

  /** Pixels (B, C, H, W) or (B, H, W, C), labels (B) int32; outputs as ViT's (timm calls lastHiddenState forward_features). */
  forward({ pixelValues, labels, outputHiddenStates, outputAttentions }: ViTInputs & { labels?: Tensor }): ViTClassificationOutputs {
    const { inChans, imgSize, embedDim } = this.config;
    return tf.tidy(() => {
      const map = this.patch_embed.proj.forward(channelsLast(pixelValues, inChans, imgSize));
      const batch = map.shape[0];
      const patches = tf.add(tf.reshape(map, [batch, -1, embedDim]), this.pos_embed.tensor);
      let hidden: Tensor = tf.concat([tf.tile(this.cls_token.tensor, [batch, 1, 1]), patches], 1);
      const hiddenStates = [hidden], attentions: Tensor[] = [];
      for (const block of this.blocks) {
        const isCheckpointed = this.gradientCheckpointing && this.training && !outputAttentions;
        const { hidden: next, weights }: { hidden: Tensor; weights?: Tensor } = isCheckpointed ? checkpointed(block, hidden) : block.forward(hidden);
        hidden = next;
        hiddenStates.push(hidden);
        if (outputAttentions) attentions.push(weights!);
        else weights?.dispose();
      }
      const lastHiddenState = this.norm.forward(hidden);
      const logits = this.head.forward(tf.reshape(tf.slice(lastHiddenState, [0, 0, 0], [-1, 1, -1]), [batch, embedDim]));
      return {
        lastHiddenState, logits,
        ...(outputHiddenStates ? { hiddenStates } : {}),
        ...(outputAttentions ? { attentions } : {}),
        ...(labels ? { loss: crossEntropy(logits as Tensor2D, labels as Tensor1D) } : {}),
      } as never;
    });
  }
}
