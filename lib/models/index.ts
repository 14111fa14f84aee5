export * from './load-mobilenet-v2';
export * from './mobilenet-v2';
export * from './mobilenet-v2-names';
