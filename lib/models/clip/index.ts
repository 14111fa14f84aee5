export * from './config';
export * from './text-model';
export * from './vision-model';
export * from './clip-model';
export * from './clip-embedder';
