export * from './attention-gru-captioner';
export * from './image-encoder';
