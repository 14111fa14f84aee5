/**
 * TensorFlow ops that tfjs does not expose, run through the same addon. Shapes and attributes are those of TensorFlow's op
 * registry (tensorflow/core/ops). No gradients here: callers wrap them in `tf.customGrad`.
 */
import type { Tensor, TensorInfo } from '@tensorflow/tfjs-node-gpu';
import { tf } from './tensorflow';

export interface OpAttribute { name: string; type: number; value: unknown }
export interface RawTensor { id: number; shape: number[]; dtype: number }

export interface Binding {
  TF_FLOAT: number; TF_INT32: number; TF_BOOL: number; TF_RESOURCE: number; TF_HALF?: number;
  TF_ATTR_STRING: number; TF_ATTR_INT: number; TF_ATTR_FLOAT: number; TF_ATTR_BOOL: number; TF_ATTR_TYPE: number; TF_ATTR_SHAPE: number;
  TF_Version: string;
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): RawTensor[];
  deleteTensor(id: number): void;
  /** Of scripts/setup/tensorflow-addon.cc: makes a graph an op of that name. */
  defineFunction(name: string, nodes: readonly object[], inputs: readonly number[], outputs: readonly number[]): void;
  removeFunction(name: string): void;
  /** Returns the id of the new parameter; changes m and v in place. */
  adamStep(parameter: number, m: number, v: number, gradient: number, numbers: readonly number[]): number;
}

interface Backend {
  binding: Binding;
  isUsingGpuDevice: boolean;
  getInputTensorIds(inputs: TensorInfo[]): number[];
  createOutputTensor(raw: RawTensor): Tensor;
}

/** DT_BFLOAT16 (tensorflow/core/framework/types.proto), for which the addon has no name. */
const BFLOAT16 = 14;

export const backend = (): Backend => tf.backend() as unknown as Backend;

type DType = 'float32' | 'bfloat16' | 'int32' | 'bool';

export type Attributes = Record<string,
  string | { int: number | number[] } | { float: number } | { bool: boolean } | { dtype: DType } | { shape: number[] }>;

function encode(attributes: Attributes): OpAttribute[] {
  const { binding: b } = backend();
  const types = { float32: b.TF_FLOAT, bfloat16: BFLOAT16, int32: b.TF_INT32, bool: b.TF_BOOL };
  return Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'string') return { name, type: b.TF_ATTR_STRING, value };
    if ('int' in value) return { name, type: b.TF_ATTR_INT, value: value.int };
    if ('float' in value) return { name, type: b.TF_ATTR_FLOAT, value: value.float };
    if ('bool' in value) return { name, type: b.TF_ATTR_BOOL, value: value.bool };
    if ('shape' in value) return { name, type: b.TF_ATTR_SHAPE, value: value.shape };
    return { name, type: b.TF_ATTR_TYPE, value: types[value.dtype] };
  });
}

/** Whether set-up's addon has its own operations (scripts/setup/kernels.cc) and the processor computes, for which they are. */
export const hasOwnKernels = (): boolean => 'adamStep' in backend().binding && !backend().isUsingGpuDevice;

/** Runs one op; the outputs are ordinary tensors under tidy's care. One in bfloat16 bears the name of float32 (see bfloat16.ts). */
export function nativeOp(name: string, attributes: Attributes, inputs: TensorInfo[], outputs = 1): Tensor[] {
  const { binding } = backend();
  return binding.executeOp(name, encode(attributes), backend().getInputTensorIds(inputs), outputs)
    .map((raw) => backend().createOutputTensor(raw.dtype === BFLOAT16 ? { ...raw, dtype: binding.TF_FLOAT } : raw));
}

/**
 * Rows of a matrix by their numbers, int32 of any shape (…) → (…, columns). TensorFlow.js' own gather reads the numbers back, and so waits
 * for them.
 *
 * @throws Error on a CPU if there is no such row; a GPU gives zeros
 */
export const gatherRows = (matrix: Tensor, rows: Tensor): Tensor => tf.tidy(() => {
  const kinds: Attributes = { Tparams: { dtype: 'float32' }, Tindices: { dtype: 'int32' }, Taxis: { dtype: 'int32' } };
  return nativeOp('GatherV2', { ...kinds, batch_dims: { int: 0 } }, [matrix, rows, tf.scalar(0, 'int32')])[0];
});

/** TensorFlow's version, e.g. "2.21.0". */
export const tensorflowVersion = (): string => backend().binding.TF_Version;
