export * from './attention-gru-captioner';
export * from './attention-gru-decoder';
export * from './captioner';
export * from './image-encoder';
