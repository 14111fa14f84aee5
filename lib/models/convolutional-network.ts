/** What ResNet, MobileNetV2 and InceptionResNetV2 have in common: pixels in either layout, feature maps out, a mean over positions, a classifier. */
import { crossEntropy, tf, type Scalar, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../engine';
import { Module } from '../nn';
import { anySizeChannelsLast, inLayout } from './pixel-values';

export interface ConvolutionalInputs {
  /** (B, C, H, W) or (B, H, W, C), normalised as the checkpoint's preprocessor says. */
  pixelValues: Tensor;
  /** (B) int32: class of each picture; gives `loss`. */
  labels?: Tensor;
  /** Whether to return `hiddenStates`; default false. */
  outputHiddenStates?: boolean;
}

/** Feature maps have the layout of the pixels. */
export interface ConvolutionalOutputs {
  /** The last feature map: (B, featureSize, H', W') or (B, H', W', featureSize). */
  lastHiddenState: Tensor4D;
  /** Its mean over all positions, (B, featureSize). transformers' ResNet gives it as (B, featureSize, 1, 1). */
  poolerOutput: Tensor;
  /** (B, classes) */
  logits: Tensor;
  /** Mean cross entropy, if there were labels. */
  loss?: Scalar;
  /** Feature maps on the way, finest first; which they are the network says. */
  hiddenStates?: Tensor4D[];
}

/** A step from one feature map (B, H, W, C) to the next. */
export interface MapLayer { forward(x: Tensor4D): Tensor4D }

/**
 * One layer after another, each freeing its input as soon as it has its output. The very first input and what is on the list of kept states
 * stay. `collect` picks the layers whose outputs go on that list.
 */
export function throughLayers(x: Tensor4D, layers: readonly MapLayer[], input: Tensor4D, states?: Tensor4D[],
  collect: (layer: number) => boolean = () => false): Tensor4D {
  const isKept = (map: Tensor4D): boolean => map === input || Boolean(states?.includes(map));
  for (const [i, layer] of layers.entries()) {
    let y: Tensor4D | undefined;
    try { y = layer.forward(x); } finally { if (y !== x && !isKept(x)) x.dispose(); }
    x = y;
    if (collect(i)) states?.push(x);
  }
  return x;
}

export abstract class ConvolutionalNetwork extends Module {
  /** Channels of the last feature map. */
  abstract readonly featureSize: number;
  protected abstract readonly inputChannels: number;

  /** Pixels (B, H, W, C) → the last feature map; the states of `hiddenStates` are added to the list, if there is one. */
  protected abstract extract(pixels: Tensor4D, states?: Tensor4D[]): Tensor4D;
  /** (B, featureSize) → (B, classes) */
  protected abstract classify(pooled: Tensor): Tensor;

  /** The last feature map alone, in the layout of the pixels: (B, H', W', featureSize) for (B, H, W, C). */
  featureMap(pixelValues: Tensor): Tensor4D {
    return tf.tidy(() => {
      const { pixels, layout } = anySizeChannelsLast(pixelValues, this.inputChannels);
      return inLayout(this.extract(pixels), layout);
    });
  }

  /** (B, H', W', featureSize) → (B, classes): mean over the positions, classifier. */
  classifyMap(map: Tensor4D): Tensor { return tf.tidy(() => this.classify(tf.mean(map, [1, 2]))); }

  forward({ pixelValues, labels, outputHiddenStates }: ConvolutionalInputs): ConvolutionalOutputs {
    return tf.tidy(() => {
      const { pixels, layout } = anySizeChannelsLast(pixelValues, this.inputChannels);
      if (labels && (labels.rank !== 1 || labels.shape[0] !== pixels.shape[0])) {
        throw new Error(`labels have the shape [${labels.shape}]: expected [${pixels.shape[0]}], a class for each picture.`);
      }
      const states: Tensor4D[] | undefined = outputHiddenStates ? [] : undefined;
      const map = this.extract(pixels, states);
      const poolerOutput = tf.mean(map, [1, 2]);
      const logits = this.classify(poolerOutput);
      return {
        lastHiddenState: inLayout(map, layout), poolerOutput, logits,
        // The last state may be the last map itself: each output is a tensor of its own.
        ...(states ? { hiddenStates: states.map((state) => (layout === 'NHWC' ? tf.clone(state) : inLayout(state, layout))) } : {}),
        ...(labels ? { loss: crossEntropy(logits as Tensor2D, labels as Tensor1D) } : {}),
      } as never;
    });
  }
}
