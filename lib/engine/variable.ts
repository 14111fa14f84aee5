import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { nativeOp } from './native';
import { tf } from './tensorflow';

let made = 0;

/** A float32 variable in TensorFlow's own memory, which its kernels update in place. */
export class ResourceVariable {
  readonly handle: Tensor;

  constructor(initial: Tensor) {
    this.handle = tf.keep(nativeOp('VarHandleOp', { container: '', shared_name: `captioning-${process.pid}-${made++}`, dtype: { dtype: 'float32' }, shape: { shape: initial.shape } }, [])[0]);
    this.assign(initial);
  }

  assign(value: Tensor): void { nativeOp('AssignVariableOp', { dtype: { dtype: 'float32' } }, [this.handle, value], 0); }

  /** Adds in place, if nobody else holds the present value. */
  add(value: Tensor): void { nativeOp('AssignAddVariableOp', { dtype: { dtype: 'float32' } }, [this.handle, value], 0); }

  /** The present value, without a copy. While it lives, the next in-place update copies first: dispose it before. */
  read(): Tensor { return nativeOp('ReadVariableOp', { dtype: { dtype: 'float32' } }, [this.handle])[0]; }

  dispose(): void {
    if (this.handle.isDisposed) return;
    nativeOp('DestroyResourceOp', { ignore_lookup_error: { bool: true } }, [this.handle], 0);
    this.handle.dispose();
  }
}
