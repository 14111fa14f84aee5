export * from './bleu';
export { cider, ciderD } from './cider';
export type { CiderResult } from './cider';
export * from './meteor';
export * from './porter-stemmer';
export { ptbTokenize } from './ptb-tokenizer';
export * from './rouge-l';
export * from './score-captions';
export * from './wordnet';
