export * from './load-mobilenet-v2';
export * from './mobilenet-v2';
export * from './mobilenet-v2-names';
export * from './pixel-values';
export * from './vit';
export * from './vit-timm';
export * from './gpt2';
export * from './bert';
