export * from './safetensors';
export * from './state';
