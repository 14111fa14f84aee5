import { tf, type Tensor } from '../engine';
import { made } from './construction';
import { summarize, type ModuleSummary, type SummaryOptions } from './summary';

/**
 * How a checkpoint stores a tensor that is kept here in TensorFlow's layout: convolution kernels are OIHW there and HWIO here,
 * depthwise kernels (C·M)1HW there and HWCM here. `linear` weights stay out×in.
 */
export type CheckpointLayout = 'same' | 'convolution' | 'depthwise';

/** One named tensor of a module. `tensor` is replaced, never written in place, by `assign`. */
export class Parameter {
  tensor: Tensor;
  /** Buffers (batch norm statistics) are saved and loaded, never trained. */
  readonly isBuffer: boolean;
  readonly layout: CheckpointLayout;
  trainable: boolean;

  constructor(tensor: Tensor, { layout = 'same', isBuffer = false }: { layout?: CheckpointLayout; isBuffer?: boolean } = {}) {
    this.tensor = tf.keep(tensor);
    made(tensor);
    this.layout = layout;
    this.isBuffer = isBuffer;
    this.trainable = !isBuffer;
  }

  get shape(): number[] { return this.tensor.shape; }
  get size(): number { return this.tensor.size; }

  /** Shape as the checkpoint has it. */
  get checkpointShape(): number[] {
    const [a, b, c, d] = this.shape;
    if (this.layout === 'convolution') return [d, c, a, b];
    return this.layout === 'depthwise' ? [c * d, 1, a, b] : this.shape;
  }

  /** Takes over `value` (kept, so that no tidy disposes it) and disposes the former tensor. */
  assign(value: Tensor): void {
    const former = this.tensor;
    this.tensor = tf.keep(value);
    made(value);
    if (former !== value) former.dispose();
  }

  /** From checkpoint layout; `values` has `checkpointShape`. */
  load(values: Float32Array): void {
    this.assign(tf.tidy(() => {
      const stored = tf.tensor(values, this.checkpointShape);
      if (this.layout === 'convolution') return tf.transpose(stored, [2, 3, 1, 0]);
      return this.layout === 'depthwise' ? tf.reshape(tf.transpose(stored, [2, 3, 0, 1]), this.shape) : stored;
    }));
  }

  /** In checkpoint layout. */
  save(): Float32Array {
    if (this.layout === 'same') return this.tensor.dataSync() as Float32Array;
    const stored = tf.tidy(() => {
      if (this.layout === 'convolution') return tf.transpose(this.tensor, [3, 2, 0, 1]);
      const [h, w, c, m] = this.shape;
      return tf.reshape(tf.transpose(this.tensor, [2, 3, 0, 1]), [c * m, 1, h, w]);
    });
    const values = stored.dataSync() as Float32Array;
    stored.dispose();
    return values;
  }

  dispose(): void { this.tensor.dispose(); }
}

/**
 * Base of every layer and network. Fields that are parameters, modules, or arrays of modules are found by walking the object,
 * and a parameter's path (`layer.0.attention.weight`) is its name in the published checkpoint.
 */
export abstract class Module {
  /** Dropout acts and batch norm would use batch statistics only while true. */
  training = false;

  *namedChildren(): Generator<[string, Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value];
      else if (Array.isArray(value)) for (const [i, item] of value.entries()) if (item instanceof Module) yield [`${name}.${i}`, item];
    }
  }

  *namedParameters(prefix = ''): Generator<[string, Parameter]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof Parameter) yield [prefix + name, value];
    for (const [name, child] of this.namedChildren()) yield* child.namedParameters(`${prefix}${name}.`);
  }

  /** Parameters that training may change; a tensor shared by two paths counts once. */
  parameters(): Parameter[] { return [...new Set([...this.namedParameters()].map(([, p]) => p))].filter((p) => !p.isBuffer); }
  trainableParameters(): Parameter[] { return this.parameters().filter((p) => p.trainable); }

  freeze(): this { for (const p of this.parameters()) p.trainable = false; return this; }
  unfreeze(): this { for (const p of this.parameters()) p.trainable = true; return this; }

  train(mode = true): this {
    this.training = mode;
    for (const [, child] of this.namedChildren()) child.train(mode);
    return this;
  }
  eval(): this { return this.train(false); }

  /** Number of values in all parameters, buffers not counted. */
  parameterCount(): number { return this.parameters().reduce((sum, p) => sum + p.size, 0); }

  /** Names, shapes, counts and what is trainable, as rows for a table and as text. */
  summary(options?: SummaryOptions): ModuleSummary { return summarize(this, options); }

  dispose(): void { for (const [, p] of this.namedParameters()) if (!p.tensor.isDisposed) p.dispose(); }
}
