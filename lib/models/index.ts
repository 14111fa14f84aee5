export * from './mobilenet-v2';
