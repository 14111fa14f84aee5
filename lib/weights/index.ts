export * from './safetensors';
export * from './state';
export * from './checkpoint-folder';
