export * from './caption-dataset';
export * from './flickr8k';
export * from './karpathy';
export { CAPTION_HEADERS, IMAGE_HEADERS } from './caption-csv';
