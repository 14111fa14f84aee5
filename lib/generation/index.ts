export * from './generate';
export * from './generation-config';
export * from './generation-options';
export * from './step-decoder';
export type { StepTokens } from './sample';
