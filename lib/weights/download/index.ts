export { downloadCheckpoint, type DownloadedCheckpoint, type DownloadEvents, type DownloadOptions } from './download-checkpoint';
export { HubError } from './hub-error';
export { hubCacheFolder, type HubOptions } from './hub-settings';
export { formatBytes } from './byte-size';
export type { RemoteFile } from './file-list';
export type { Checksum } from './checksum';
