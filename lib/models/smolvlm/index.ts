export * from './config';
export * from './processor';
export * from './smolvlm';
export * from './vision-model';
