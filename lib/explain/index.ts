export * from './word-occlusion';
export { wordMaps, type WordMaps } from './word-maps';
export * from './grounding';
export * from './grad-cam';
export { attentionRollout, type AttentionRollout } from './attention-rollout';
export * from './head-maps';
