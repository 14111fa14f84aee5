export * from './feature-captioning';
export * from './mobilenet-gru';
export * from './profile';
