export * from './adam';
export * from './caption-batches';
export * from './feature-cache';
export * from './trainer';
