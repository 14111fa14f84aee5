export * from './word-occlusion';
export { wordMaps, type WordMaps } from './word-maps';
export * from './grounding';
export * from './grad-cam';
