export * from './caption-source-classifier';
export * from './padded-texts';
