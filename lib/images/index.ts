export * from './rgb-image';
export * from './decode';
export * from './resize';
export type { Window } from './resize-passes';
export * from './crop';
export * from './preprocessor-config';
export * from './image-processor';
export * from './image-loader';
