import { customGradient, inPrecision, nativeOp, Random, tf, type Tensor, type Tensor4D } from '../engine';
import { heNormal } from './initialization';
import { Module, Parameter } from './module';

/** Height and width. */
type Pair = readonly [number, number];

/**
 * 'same' is TensorFlow's (at stride 2 the extra row and column go right and bottom); a number pads that many on every side, as PyTorch; two
 * numbers pad that many rows above and below, and that many columns left and right.
 */
export type Padding = 'same' | 'valid' | number | Pair;

export interface Conv2dOptions { kernelSize: number | Pair; stride?: number; padding?: Padding; depthwise?: boolean; bias?: boolean }

const pair = (value: number | Pair): Pair => (typeof value === 'number' ? [value, value] : value);

/** Two-dimensional convolution, NHWC. Kernel (h, w, in, out), or (h, w, channels, 1) when depthwise; OIHW in checkpoints. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly stride: number;
  private readonly padding: Padding;
  readonly depthwise: boolean;

  constructor(inChannels: number, outChannels: number, random: Random, options: Conv2dOptions) {
    super();
    const { kernelSize, stride = 1, padding = 'same', depthwise = false, bias = false } = options;
    if (depthwise && inChannels !== outChannels) throw new Error(`A depthwise convolution keeps its channels: ${inChannels} in, ${outChannels} out.`);
    const [h, w] = pair(kernelSize);
    const shape = depthwise ? [h, w, inChannels, 1] : [h, w, inChannels, outChannels];
    this.weight = new Parameter(heNormal(shape, h * w * (depthwise ? 1 : outChannels), random), { layout: depthwise ? 'depthwise' : 'convolution' });
    if (bias) this.bias = new Parameter(tf.zeros([outChannels]));
    this.stride = stride;
    this.padding = padding;
    this.depthwise = depthwise;
  }

  /** (batch, height, width, in) → (batch, height', width', out) */
  forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const y = this.convolve(x, this.weight.tensor as Tensor4D);
      return this.bias ? tf.add(y, this.bias.tensor) : y;
    });
  }

  /** The convolution alone, by a kernel of the layer's shape instead of its own, without bias. */
  convolve(x: Tensor4D, kernel: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const { padded, mode } = this.pad(x);
      return inPrecision([padded, kernel], (input, filter) => (this.depthwise
        ? tf.depthwiseConv2d(input, filter, this.stride, mode) : tf.conv2d(input, filter, this.stride, mode)));
    });
  }

  /** Padding by numbers is done here, except where TensorFlow's own comes to the same and saves a copy. */
  private pad(x: Tensor4D): { padded: Tensor4D; mode: 'same' | 'valid' } {
    if (this.padding === 'same' || this.padding === 'valid') return { padded: x, mode: this.padding };
    const [rows, columns] = pair(this.padding);
    if (rows === 0 && columns === 0) return { padded: x, mode: 'valid' };
    const [kernelHeight, kernelWidth] = this.weight.shape, [, height, width] = x.shape;
    const sameTotal = (size: number, kernel: number) => Math.max(0, (Math.ceil(size / this.stride) - 1) * this.stride + kernel - size);
    if (sameTotal(height, kernelHeight) === 2 * rows && sameTotal(width, kernelWidth) === 2 * columns) return { padded: x, mode: 'same' };
    return { padded: tf.pad(x, [[0, 0], [rows, rows], [columns, columns], [0, 0]]), mode: 'valid' };
  }
}

/** Batch normalisation over the last axis with running statistics; names and momentum as torch.nn.BatchNorm2d. */
export class BatchNorm2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly running_mean: Parameter;
  readonly running_var: Parameter;

  constructor(channels: number, private readonly epsilon = 1e-5, private readonly momentum = 0.1) {
    super();
    this.weight = new Parameter(tf.ones([channels]));
    this.bias = new Parameter(tf.zeros([channels]));
    this.running_mean = new Parameter(tf.zeros([channels]), { isBuffer: true });
    this.running_var = new Parameter(tf.ones([channels]), { isBuffer: true });
  }

  /** (batch, height, width, channels), same shape out. In training it uses the batch's statistics and moves the running ones. */
  forward(x: Tensor4D): Tensor4D {
    return (this.training ? this.normalizeByBatch(x) : this.normalizeByRunning(x)) as Tensor4D;
  }

  /** What evaluation does to a value of each channel, x · scale + shift; both (channels). */
  affine(): { scale: Tensor; shift: Tensor } {
    return tf.tidy(() => {
      const scale = tf.mul(this.weight.tensor, tf.rsqrt(tf.add(this.running_var.tensor, this.epsilon)));
      return { scale, shift: tf.sub(this.bias.tensor, tf.mul(this.running_mean.tensor, scale)) };
    });
  }

  private normalizeByRunning(x: Tensor4D): Tensor {
    return tf.tidy(() => {
      // One multiply and one add per value instead of TensorFlow.js' four.
      const { scale, shift } = this.affine();
      return tf.add(tf.mul(x, scale), shift);
    });
  }

  private normalizeByBatch(x: Tensor4D): Tensor {
    const float = { dtype: 'float32' } as const;
    const attributes = { T: float, U: float, epsilon: { float: this.epsilon }, data_format: 'NHWC', is_training: { bool: true } };
    return customGradient([x, this.weight.tensor, this.bias.tensor], (save) => {
      const none = tf.tensor1d([]);
      const [y, mean, variance, reserve1, reserve2, reserve3] = nativeOp('FusedBatchNormV3', { ...attributes, exponential_avg_factor: { float: 1 } },
        [x, this.weight.tensor, this.bias.tensor, none, none], 6);
      // FusedBatchNormV3 returns the unbiased variance, which is also what PyTorch's running variance takes.
      const move = (buffer: Parameter, value: Tensor) =>
        buffer.assign(tf.add(tf.mul(buffer.tensor, 1 - this.momentum), tf.mul(value, this.momentum)));
      move(this.running_mean, mean);
      move(this.running_var, variance);
      save(x, this.weight.tensor, reserve1, reserve2, reserve3);
      return y;
    }, (dy, [input, scale, reserve1, reserve2, reserve3]) =>
      nativeOp('FusedBatchNormGradV3', attributes, [dy, input, scale, reserve1, reserve2, reserve3], 5).slice(0, 3));
  }
}
