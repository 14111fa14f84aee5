export * from './caption-source';
export * from './caption-source-leaks';
export * from './feature-captioning';
export * from './mobilenet-gru';
export * from './occlusion-sweep';
export * from './profile';
export { mergeOcclusionSweep } from './sweep-shards';
