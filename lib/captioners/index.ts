export * from './attention-gru-decoder';
export * from './attention-lstm-decoder';
export * from './caption-decoder';
export * from './captioner';
export * from './image-encoder';
export * from './lstm-decoder';
export * from './recurrent-captioner';
