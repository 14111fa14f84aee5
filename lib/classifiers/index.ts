export * from './caption-source-classifier';
export * from './padded-texts';
export * from './zero-shot-classifier';
