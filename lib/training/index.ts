export * from './adam';
