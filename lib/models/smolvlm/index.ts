export * from './config';
export * from './smolvlm';
export * from './vision-model';
