export * from './adam';
export * from './caption-batches';
export * from './encode-dataset';
export * from './feature-cache';
export * from './schedules';
export * from './trainer';
