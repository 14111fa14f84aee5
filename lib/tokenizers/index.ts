export * from './word-vocabulary';
