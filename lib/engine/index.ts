export * from './gradients';
export * from './losses';
export * from './memory';
export * from './native';
export * from './random';
export * from './variable';
export { tf } from './tensorflow';
export type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-node-gpu';
