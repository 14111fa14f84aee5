export * from './mobilenet-v2';
export * from './load-mobilenet-v2';
