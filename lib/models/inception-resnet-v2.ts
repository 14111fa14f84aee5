/**
 * Inception-ResNet-v2 (Szegedy et al. 2016, https://arxiv.org/abs/1602.07261) with timm's parameter names (timm/models/inception_resnet_v2.py).
 * 299×299 pixels give 8×8 positions of 1,536 features; at least 75×75 are needed.
 */
import { Random, tf, type Tensor, type Tensor4D } from '../engine';
import { BatchNorm2d, Conv2d, convNorm, Dropout, Linear, Module, relu, type Conv2dOptions } from '../nn';
import { ConvolutionalNetwork, throughLayers } from './convolutional-network';

export interface InceptionResNetV2Config {
  inChans: number;
  numClasses: number;
  /** Dropout before the classifier, in training. */
  dropRate: number;
  /** Residual blocks at stride 8, 16 and 32; at 32 one more follows, without ReLU. */
  repeats: readonly [number, number, number];
  /** Factor on the channels of every convolution: 1 is the published network. */
  width: number;
}

/** The published network. */
export const inceptionResNetV2Defaults: InceptionResNetV2Config = { inChans: 3, numClasses: 1000, dropRate: 0, repeats: [10, 20, 9], width: 1 };

const epsilon = 1e-3;
/** The smallest side whose map still has a position at the end. */
const smallest = 75;

/** Convolution, norm, ReLU; `padding` is PyTorch's, 0 by default. */
class ConvNormAct extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(inChannels: number, readonly outChannels: number, random: Random, options: Conv2dOptions) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, random, { padding: 0, ...options });
    this.bn = new BatchNorm2d(outChannels, epsilon);
  }

  forward(x: Tensor4D): Tensor4D { return convNorm(x, this.conv, this.bn, 'relu'); }
}

/** Mean over 3×3 positions, those outside the map not counted. */
class AveragePool extends Module {
  forward(x: Tensor4D): Tensor4D { return tf.avgPool(x, 3, 1, 'same'); }
}

type Branch = ConvNormAct | Module[];
type Kernel = Conv2dOptions['kernelSize'];

/** Layers of one branch: kernel and published width, by default padded to keep the map's size. */
type Plan = readonly (readonly [kernel: Kernel, width: number, options?: Partial<Conv2dOptions>])[];

/** Builds the convolutions of the network, each as wide as the config says. */
class Builder {
  constructor(private readonly factor: number, private readonly random: Random) {}

  width(published: number): number { return Math.max(1, Math.floor(published * this.factor + 0.5)); }

  conv(inChannels: number, outChannels: number, kernelSize: Kernel, options: Partial<Conv2dOptions> = {}): ConvNormAct {
    return new ConvNormAct(inChannels, this.width(outChannels), this.random, { kernelSize, ...options });
  }

  branch(inChannels: number, plan: Plan): ConvNormAct[] {
    let channels = inChannels;
    return plan.map(([kernel, width, options]) => {
      const [h, w] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
      const layer = this.conv(channels, width, kernel, options ?? { padding: [(h - 1) / 2, (w - 1) / 2] });
      channels = layer.outChannels;
      return layer;
    });
  }

  /** A convolution with bias, as the residual blocks end in. */
  plain(inChannels: number, outChannels: number): Conv2d {
    return new Conv2d(inChannels, outChannels, this.random, { kernelSize: 1, padding: 'valid', bias: true });
  }
}

const run = (branch: Branch, x: Tensor4D): Tensor4D => (Array.isArray(branch) ? throughLayers(x, branch as ConvNormAct[], x) : branch.forward(x));
const widthOf = (branch: Branch): number => (branch instanceof ConvNormAct ? branch : branch.at(-1) as ConvNormAct).outChannels;
const halving = { stride: 2 } as const;

/** Branches side by side, their maps joined. */
abstract class Mixed extends Module {
  abstract readonly outChannels: number;
  protected abstract branches(): Branch[];
  /** Whether the maximum over 3×3 positions at stride 2 is the last branch. */
  protected abstract readonly pooled: boolean;

  forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const maps = this.branches().map((branch) => run(branch, x));
      return tf.concat(this.pooled ? [...maps, tf.maxPool(x, 3, 2, 'valid')] : maps, 3);
    });
  }
}

class Mixed5b extends Mixed {
  readonly branch0: ConvNormAct;
  readonly branch1: Module[];
  readonly branch2: Module[];
  readonly branch3: Module[];
  readonly outChannels: number;
  protected readonly pooled = false;

  constructor(channels: number, builder: Builder) {
    super();
    this.branch0 = builder.conv(channels, 96, 1);
    this.branch1 = builder.branch(channels, [[1, 48], [5, 64]]);
    this.branch2 = builder.branch(channels, [[1, 64], [3, 96], [3, 96]]);
    this.branch3 = [new AveragePool(), builder.conv(channels, 64, 1)];
    this.outChannels = this.branches().reduce((sum, branch) => sum + widthOf(branch), 0);
  }

  protected branches(): Branch[] { return [this.branch0, this.branch1, this.branch2, this.branch3]; }
}

class Mixed6a extends Mixed {
  readonly branch0: ConvNormAct;
  readonly branch1: Module[];
  readonly outChannels: number;
  protected readonly pooled = true;

  constructor(channels: number, builder: Builder) {
    super();
    this.branch0 = builder.conv(channels, 384, 3, halving);
    this.branch1 = builder.branch(channels, [[1, 256], [3, 256], [3, 384, halving]]);
    this.outChannels = this.branches().reduce((sum, branch) => sum + widthOf(branch), channels);
  }

  protected branches(): Branch[] { return [this.branch0, this.branch1]; }
}

class Mixed7a extends Mixed {
  readonly branch0: Module[];
  readonly branch1: Module[];
  readonly branch2: Module[];
  readonly outChannels: number;
  protected readonly pooled = true;

  constructor(channels: number, builder: Builder) {
    super();
    this.branch0 = builder.branch(channels, [[1, 256], [3, 384, halving]]);
    this.branch1 = builder.branch(channels, [[1, 256], [3, 288, halving]]);
    this.branch2 = builder.branch(channels, [[1, 256], [3, 288], [3, 320, halving]]);
    this.outChannels = this.branches().reduce((sum, branch) => sum + widthOf(branch), channels);
  }

  protected branches(): Branch[] { return [this.branch0, this.branch1, this.branch2]; }
}

/** Block35, Block17 and Block8: branches joined, projected to the input's width, scaled and added to it; then ReLU, but for the last block. */
class ResidualBlock extends Module {
  readonly branch0: ConvNormAct;
  readonly branch1: Module[];
  readonly branch2?: Module[];
  readonly conv2d: Conv2d;

  constructor(channels: number, builder: Builder, first: number, second: Plan, third: Plan | undefined,
    private readonly scale: number, private readonly active = true) {
    super();
    this.branch0 = builder.conv(channels, first, 1);
    this.branch1 = builder.branch(channels, second);
    if (third) this.branch2 = builder.branch(channels, third);
    this.conv2d = builder.plain(this.branches().reduce((sum, branch) => sum + widthOf(branch), 0), channels);
  }

  private branches(): Branch[] { return [this.branch0, this.branch1, ...(this.branch2 ? [this.branch2] : [])]; }

  forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const maps = this.branches().map((branch) => run(branch, x));
      const joined = tf.concat(maps, 3);
      tf.dispose(maps);
      // The scale goes into the kernel and the bias: they are smaller than the map.
      const projected = this.conv2d.convolve(joined, tf.mul(this.conv2d.weight.tensor, this.scale) as Tensor4D);
      joined.dispose();
      const biased = tf.add(projected, tf.mul(this.conv2d.bias!.tensor, this.scale));
      projected.dispose();
      const sum = tf.add(biased, x) as Tensor4D;
      biased.dispose();
      return this.active ? relu(sum) : sum;
    });
  }
}

/** `hiddenStates` are the maps of conv2d_2b, conv2d_4a, repeat, repeat_1 and conv2d_7b, timm's forward_intermediates. */
export class InceptionResNetV2 extends ConvolutionalNetwork {
  readonly config: InceptionResNetV2Config;
  readonly featureSize: number;
  protected readonly inputChannels: number;
  readonly conv2d_1a: ConvNormAct;
  readonly conv2d_2a: ConvNormAct;
  readonly conv2d_2b: ConvNormAct;
  readonly conv2d_3b: ConvNormAct;
  readonly conv2d_4a: ConvNormAct;
  readonly mixed_5b: Mixed5b;
  readonly repeat: ResidualBlock[];
  readonly mixed_6a: Mixed6a;
  readonly repeat_1: ResidualBlock[];
  readonly mixed_7a: Mixed7a;
  readonly repeat_2: ResidualBlock[];
  readonly block8: ResidualBlock;
  readonly conv2d_7b: ConvNormAct;
  readonly classif: Linear;
  private readonly dropout: Dropout;

  constructor(config: Partial<InceptionResNetV2Config> = {}, random = new Random(0)) {
    super();
    this.config = { ...inceptionResNetV2Defaults, ...config };
    const { inChans, numClasses, dropRate, repeats, width } = this.config;
    const builder = new Builder(width, random);
    const times = (count: number, make: () => ResidualBlock) => Array.from({ length: count }, make);
    this.dropout = new Dropout(dropRate, random);
    this.inputChannels = inChans;
    this.conv2d_1a = builder.conv(inChans, 32, 3, halving);
    this.conv2d_2a = builder.conv(this.conv2d_1a.outChannels, 32, 3);
    this.conv2d_2b = builder.conv(this.conv2d_2a.outChannels, 64, 3, { padding: 1 });
    this.conv2d_3b = builder.conv(this.conv2d_2b.outChannels, 80, 1);
    this.conv2d_4a = builder.conv(this.conv2d_3b.outChannels, 192, 3);
    this.mixed_5b = new Mixed5b(this.conv2d_4a.outChannels, builder);
    const { outChannels: c5 } = this.mixed_5b;
    this.repeat = times(repeats[0], () => new ResidualBlock(c5, builder, 32, [[1, 32], [3, 32]], [[1, 32], [3, 48], [3, 64]], 0.17));
    this.mixed_6a = new Mixed6a(c5, builder);
    const { outChannels: c6 } = this.mixed_6a;
    this.repeat_1 = times(repeats[1], () => new ResidualBlock(c6, builder, 192, [[1, 128], [[1, 7], 160], [[7, 1], 192]], undefined, 0.1));
    this.mixed_7a = new Mixed7a(c6, builder);
    const { outChannels: c7 } = this.mixed_7a;
    const block8 = (scale: number, active: boolean) =>
      new ResidualBlock(c7, builder, 192, [[1, 192], [[1, 3], 224], [[3, 1], 256]], undefined, scale, active);
    this.repeat_2 = times(repeats[2], () => block8(0.2, true));
    this.block8 = block8(1, false);
    this.conv2d_7b = builder.conv(c7, 1536, 1);
    this.featureSize = this.conv2d_7b.outChannels;
    this.classif = new Linear(this.featureSize, numClasses, random);
  }

  protected extract(pixels: Tensor4D, states?: Tensor4D[]): Tensor4D {
    const [, height, width] = pixels.shape;
    if (height < smallest || width < smallest) {
      throw new Error(`InceptionResNetV2 needs pictures of at least ${smallest}×${smallest} pixels; these are ${height}×${width}.`);
    }
    const pool = { forward: (x: Tensor4D): Tensor4D => tf.maxPool(x, 3, 2, 'valid') };
    const layers = [
      this.conv2d_1a, this.conv2d_2a, this.conv2d_2b, pool, this.conv2d_3b, this.conv2d_4a, pool, this.mixed_5b, ...this.repeat,
      this.mixed_6a, ...this.repeat_1, this.mixed_7a, ...this.repeat_2, this.block8, this.conv2d_7b,
    ];
    const [eighth, sixteenth] = [8 + this.repeat.length, 9 + this.repeat.length + this.repeat_1.length];
    const collected = [2, 5, eighth - 1, sixteenth - 1, layers.length - 1];
    return throughLayers(pixels, layers, pixels, states, (layer) => collected.includes(layer));
  }

  protected classify(pooled: Tensor): Tensor { return this.classif.forward(this.dropout.forward(pooled)); }
}
