export * from './caption-vocabulary';
export * from './chat-template';
export * from './joined-texts';
export * from './prompted-tokenizer';
export * from './sentence-piece-bpe';
export * from './tokenizer';
export * from './word-vocabulary';
