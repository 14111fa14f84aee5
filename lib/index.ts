export * from './engine';
export * from './images';
export * from './datasets';
export * from './notebook';
