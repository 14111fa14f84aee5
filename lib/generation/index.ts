export * from './beam';
export * from './greedy';
export * from './step-decoder';
