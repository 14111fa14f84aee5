export * from './word-occlusion';
