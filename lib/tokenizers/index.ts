export * from './chat-template';
export * from './tokenizer';
export * from './word-vocabulary';
