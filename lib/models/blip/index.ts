export * from './config';
export * from './vision-model';
export * from './text-decoder';
export * from './blip-decoder';
export * from './blip-model';
