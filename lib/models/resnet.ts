/**
 * ResNet (He et al. 2015, https://arxiv.org/abs/1512.03385) with the parameter names that torchvision (torchvision/models/resnet.py) and timm
 * (timm/models/resnet.py) share; ./resnet-names translates Hugging Face's (transformers/models/resnet), whose config's names the options have.
 * A bottleneck strides in its 3×3 convolution, as all of them do today; 224×224 pixels give 7×7 positions of 2,048 features.
 */
import { Random, tf, type Tensor, type Tensor4D } from '../engine';
import { BatchNorm2d, Conv2d, convNorm, Linear, Module, relu } from '../nn';
import { ConvolutionalNetwork, throughLayers } from './convolutional-network';

export interface ResNetConfig {
  numChannels: number;
  /** Channels of the stem. */
  embeddingSize: number;
  /** Channels that each stage puts out; a bottleneck works with a quarter of them inside. */
  hiddenSizes: readonly number[];
  /** Blocks of each stage. */
  depths: readonly number[];
  layerType: 'basic' | 'bottleneck';
  /** Whether the first stage halves the map, as all others do. */
  downsampleInFirstStage: boolean;
  /** Stride in a bottleneck's first convolution (the paper) instead of its second. */
  downsampleInBottleneck: boolean;
  numLabels: number;
}

/** ResNet-50. */
export const resNetDefaults: ResNetConfig = {
  numChannels: 3, embeddingSize: 64, hiddenSizes: [256, 512, 1024, 2048], depths: [3, 4, 6, 3], layerType: 'bottleneck',
  downsampleInFirstStage: false, downsampleInBottleneck: false, numLabels: 1000,
};

const basic = { layerType: 'basic', hiddenSizes: [64, 128, 256, 512] } as const;

/** The published depths, by torchvision's and timm's names. */
export const resNetSizes = {
  resnet18: { ...basic, depths: [2, 2, 2, 2] },
  resnet34: { ...basic, depths: [3, 4, 6, 3] },
  resnet50: { depths: [3, 4, 6, 3] },
  resnet101: { depths: [3, 4, 23, 3] },
  resnet152: { depths: [3, 8, 36, 3] },
} as const satisfies Record<string, Partial<ResNetConfig>>;

/** The shortcut's projection: children '0' and '1' as in a Sequential. */
class Downsample extends Module {
  readonly '0': Conv2d;
  readonly '1': BatchNorm2d;

  constructor(inChannels: number, outChannels: number, stride: number, random: Random) {
    super();
    this[0] = new Conv2d(inChannels, outChannels, random, { kernelSize: 1, stride, padding: 'valid' });
    this[1] = new BatchNorm2d(outChannels);
  }

  forward(x: Tensor4D): Tensor4D { return convNorm(x, this[0], this[1]); }
}

/** A residual block: one convolution after another, plus the shortcut, then ReLU. */
abstract class Block extends Module {
  downsample?: Downsample;

  protected abstract branch(x: Tensor4D): Tensor4D;

  forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const y = this.branch(x);
      const shortcut = this.downsample?.forward(x);
      const sum = tf.add(y, shortcut ?? x) as Tensor4D;
      tf.dispose([y, ...(shortcut ? [shortcut] : [])]);
      return relu(sum);
    });
  }

  protected addShortcut(inChannels: number, outChannels: number, stride: number, random: Random): void {
    if (stride !== 1 || inChannels !== outChannels) this.downsample = new Downsample(inChannels, outChannels, stride, random);
  }
}

const conv3x3 = (inChannels: number, outChannels: number, stride: number, random: Random) =>
  new Conv2d(inChannels, outChannels, random, { kernelSize: 3, stride, padding: 1 });
const conv1x1 = (inChannels: number, outChannels: number, stride: number, random: Random) =>
  new Conv2d(inChannels, outChannels, random, { kernelSize: 1, stride, padding: 'valid' });

class BasicBlock extends Block {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;

  constructor(inChannels: number, outChannels: number, stride: number, random: Random) {
    super();
    this.conv1 = conv3x3(inChannels, outChannels, stride, random);
    this.bn1 = new BatchNorm2d(outChannels);
    this.conv2 = conv3x3(outChannels, outChannels, 1, random);
    this.bn2 = new BatchNorm2d(outChannels);
    this.addShortcut(inChannels, outChannels, stride, random);
  }

  protected branch(x: Tensor4D): Tensor4D {
    const first = convNorm(x, this.conv1, this.bn1, 'relu');
    const second = convNorm(first, this.conv2, this.bn2);
    first.dispose();
    return second;
  }
}

class Bottleneck extends Block {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;

  constructor(inChannels: number, outChannels: number, stride: number, random: Random, strideFirst: boolean) {
    super();
    const inner = Math.floor(outChannels / 4);
    this.conv1 = conv1x1(inChannels, inner, strideFirst ? stride : 1, random);
    this.bn1 = new BatchNorm2d(inner);
    this.conv2 = conv3x3(inner, inner, strideFirst ? 1 : stride, random);
    this.bn2 = new BatchNorm2d(inner);
    this.conv3 = conv1x1(inner, outChannels, 1, random);
    this.bn3 = new BatchNorm2d(outChannels);
    this.addShortcut(inChannels, outChannels, stride, random);
  }

  protected branch(x: Tensor4D): Tensor4D {
    const first = convNorm(x, this.conv1, this.bn1, 'relu');
    const second = convNorm(first, this.conv2, this.bn2, 'relu');
    first.dispose();
    const third = convNorm(second, this.conv3, this.bn3);
    second.dispose();
    return third;
  }
}

/** `hiddenStates` are the pooled stem and the output of each stage, as transformers'. */
function throughStages(map: Tensor4D, stages: ResNet['stages'], input: Tensor4D, states?: Tensor4D[]): Tensor4D {
  let x = map;
  for (const stage of stages) {
    x = throughLayers(x, stage, input, states);
    states?.push(x);
  }
  return x;
}

export class ResNet extends ConvolutionalNetwork {
  readonly config: ResNetConfig;
  readonly featureSize: number;
  protected readonly inputChannels: number;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Block[];
  readonly layer2: Block[];
  readonly layer3: Block[];
  readonly layer4: Block[];
  readonly fc: Linear;

  constructor(config: Partial<ResNetConfig> = {}, random = new Random(0)) {
    super();
    this.config = { ...resNetDefaults, ...config };
    const { numChannels, embeddingSize, hiddenSizes, depths, layerType, downsampleInFirstStage, downsampleInBottleneck, numLabels } = this.config;
    if (hiddenSizes.length !== 4 || depths.length !== 4) {
      throw new Error(`A ResNet has 4 stages: hiddenSizes names ${hiddenSizes.length}, depths ${depths.length}.`);
    }
    this.conv1 = new Conv2d(numChannels, embeddingSize, random, { kernelSize: 7, stride: 2, padding: 3 });
    this.bn1 = new BatchNorm2d(embeddingSize);
    const stage = (index: number): Block[] => Array.from({ length: depths[index] }, (_, i) => {
      const outChannels = hiddenSizes[index];
      const inChannels = i > 0 ? outChannels : index === 0 ? embeddingSize : hiddenSizes[index - 1];
      const stride = i === 0 && (index > 0 || downsampleInFirstStage) ? 2 : 1;
      return layerType === 'basic' ? new BasicBlock(inChannels, outChannels, stride, random)
        : new Bottleneck(inChannels, outChannels, stride, random, downsampleInBottleneck);
    });
    [this.layer1, this.layer2, this.layer3, this.layer4] = [stage(0), stage(1), stage(2), stage(3)];
    this.inputChannels = numChannels;
    this.featureSize = hiddenSizes[3];
    this.fc = new Linear(this.featureSize, numLabels, random);
  }

  get stages(): readonly (readonly Block[])[] { return [this.layer1, this.layer2, this.layer3, this.layer4]; }

  protected extract(pixels: Tensor4D, states?: Tensor4D[]): Tensor4D {
    const map = this.stem(pixels);
    states?.push(map);
    return throughStages(map, this.stages, pixels, states);
  }

  /** Pixels (B, H, W, C) → the map after the first `count` of the four stages, (B, H', W', hiddenSizes[count − 1]). */
  mapAfter(pixels: Tensor4D, count: number): Tensor4D {
    return tf.tidy(() => throughStages(this.stem(pixels), this.stages.slice(0, count), pixels));
  }

  /** What `mapAfter` gave for `count` → the last feature map (B, H'', W'', featureSize). */
  mapFrom(map: Tensor4D, count: number): Tensor4D {
    return tf.tidy(() => tf.clone(throughStages(map, this.stages.slice(count), map)));
  }

  protected classify(pooled: Tensor): Tensor { return this.fc.forward(pooled); }

  /** 7×7 convolution, then the maximum over 3×3 positions. After ReLU nothing is below 0: zeros may pad what others pad with −∞. */
  private stem(pixels: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const x = convNorm(pixels, this.conv1, this.bn1, 'relu');
      return tf.maxPool(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), 3, 2, 'valid');
    });
  }
}
