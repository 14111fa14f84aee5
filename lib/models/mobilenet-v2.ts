/**
 * MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381), with torchvision's parameter names
 * (torchvision/models/mobilenetv2.py); ./mobilenet-v2-names translates Hugging Face's (transformers/models/mobilenet_v2) and timm's.
 * 224×224 pixels give 7×7 positions of 1,280 features.
 */
import { Random, tf, type Tensor, type Tensor4D } from '../engine';
import { BatchNorm2d, Conv2d, convNorm, Dropout, Linear, Module } from '../nn';
import { ConvolutionalNetwork, throughLayers, type MapLayer } from './convolutional-network';

export interface MobileNetV2Config {
  /** Width multiplier: 1 is the published network. */
  widthMultiplier: number;
  numClasses: number;
  /** TensorFlow's asymmetric SAME padding (HF's `tf_padding`, Google's checkpoints) instead of PyTorch's symmetric. */
  tfPadding: boolean;
  /** 1e-5 in torchvision, 1e-3 in TensorFlow's checkpoints. */
  batchNormEpsilon: number;
  /** Channels of the last convolution before the multiplier grows it above 1. */
  lastChannel: number;
  /** Before the classifier, in training: 0.2 in torchvision, 0.8 in Hugging Face's checkpoints. */
  dropout: number;
  /** Expansion, output channels, repeats, stride of each stage (table 2 of the paper). */
  stages: readonly (readonly [number, number, number, number])[];
}

export const mobileNetV2Defaults: MobileNetV2Config = {
  widthMultiplier: 1,
  numClasses: 1000,
  tfPadding: false,
  batchNormEpsilon: 1e-5,
  lastChannel: 1280,
  dropout: 0.2,
  stages: [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]],
};

/** Nearest multiple of 8 that is not more than 10 % below the value (torchvision's _make_divisible). */
export function makeDivisible(value: number, divisor = 8): number {
  const rounded = Math.max(divisor, Math.floor(value + divisor / 2) - (Math.floor(value + divisor / 2) % divisor));
  return rounded < 0.9 * value ? rounded + divisor : rounded;
}

interface BlockOptions { stride?: number; depthwise?: boolean; kernelSize: number }

/** Convolution, batch norm, ReLU6: children '0' and '1' as in torchvision's Sequential. */
class ConvNormActivation extends Module {
  readonly '0': Conv2d;
  readonly '1': BatchNorm2d;

  constructor(inChannels: number, outChannels: number, config: MobileNetV2Config, random: Random, { stride = 1, depthwise = false, kernelSize }: BlockOptions) {
    super();
    const padding = config.tfPadding ? 'same' : (kernelSize - 1) / 2;
    this[0] = new Conv2d(inChannels, outChannels, random, { kernelSize, stride, padding, depthwise });
    this[1] = new BatchNorm2d(outChannels, config.batchNormEpsilon);
  }

  forward(x: Tensor4D): Tensor4D { return convNorm(x, this[0], this[1], 'relu6'); }
}

/** Expand 1×1 (unless the factor is 1), depthwise 3×3, project 1×1 without activation; residual where the shape allows. */
class InvertedResidual extends Module {
  readonly conv: Module[];
  private readonly residual: boolean;

  constructor(inChannels: number, outChannels: number, stride: number, expansion: number, config: MobileNetV2Config, random: Random) {
    super();
    const hidden = Math.round(inChannels * expansion);
    this.residual = stride === 1 && inChannels === outChannels;
    this.conv = [
      ...(expansion === 1 ? [] : [new ConvNormActivation(inChannels, hidden, config, random, { kernelSize: 1 })]),
      new ConvNormActivation(hidden, hidden, config, random, { kernelSize: 3, stride, depthwise: true }),
      new Conv2d(hidden, outChannels, random, { kernelSize: 1 }),
      new BatchNorm2d(outChannels, config.batchNormEpsilon),
    ];
  }

  forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const [project, norm] = this.conv.slice(-2) as [Conv2d, BatchNorm2d];
      const inner = throughLayers(x, this.conv.slice(0, -2) as ConvNormActivation[], x);
      const y = convNorm(inner, project, norm);
      inner.dispose();
      return this.residual ? tf.add(x, y) : y;
    });
  }
}

/** torchvision's `classifier`: dropout at index 0 (no parameters), linear at index 1. */
class Classifier extends Module {
  readonly '1': Linear;
  private readonly dropout: Dropout;

  constructor(features: number, { numClasses, dropout }: MobileNetV2Config, random: Random) {
    super();
    this.dropout = new Dropout(dropout, random);
    this[1] = new Linear(features, numClasses, random);
  }

  forward(x: Tensor): Tensor { return this[1].forward(this.dropout.forward(x)); }
}

/** `hiddenStates` are the outputs of all blocks but the first, which transformers counts as stem: 16 in the published network. */
export class MobileNetV2 extends ConvolutionalNetwork {
  readonly features: Module[];
  readonly classifier: Classifier;
  readonly config: MobileNetV2Config;
  readonly featureSize: number;
  protected readonly inputChannels = 3;

  constructor(config: Partial<MobileNetV2Config> = {}, random = new Random(0)) {
    super();
    this.config = { ...mobileNetV2Defaults, ...config };
    const { widthMultiplier, stages, lastChannel } = this.config;
    let channels = makeDivisible(stages.length ? 32 * widthMultiplier : lastChannel);
    this.featureSize = makeDivisible(lastChannel * Math.max(1, widthMultiplier));
    this.features = [new ConvNormActivation(3, channels, this.config, random, { kernelSize: 3, stride: 2 })];
    for (const [expansion, width, repeats, stride] of stages) {
      const out = makeDivisible(width * widthMultiplier);
      for (let i = 0; i < repeats; i++) {
        this.features.push(new InvertedResidual(channels, out, i === 0 ? stride : 1, expansion, this.config, random));
        channels = out;
      }
    }
    this.features.push(new ConvNormActivation(channels, this.featureSize, this.config, random, { kernelSize: 1 }));
    this.classifier = new Classifier(this.featureSize, this.config, random);
  }

  protected extract(pixels: Tensor4D, states?: Tensor4D[]): Tensor4D {
    const layers = this.features as (Module & MapLayer)[];
    return throughLayers(pixels, layers, pixels, states, (layer) => layer >= 2 && layer < layers.length - 1);
  }

  protected classify(pooled: Tensor): Tensor { return this.classifier.forward(pooled); }
}
