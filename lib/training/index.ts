export * from './adam';
export * from './caption-batches';
export * from './encode-dataset';
export * from './feature-cache';
export * from './learning-rate-search';
export * from './schedules';
export * from './tensorboard';
export * from './trainer';
