import type { HubRequest } from './hub-request';
import type { HubSettings } from './hub-settings';
import type { RetryOptions } from './retry';

/** A repository at a revision, and how to ask for it. */
export interface HubSource {
  settings: HubSettings;
  repository: string;
  revision: string;
  retry?: RetryOptions;
  silence?: HubRequest['silence'];
}

/** The address of a file, below the endpoint. */
export const filePath = ({ repository, revision }: HubSource, file: string): string =>
  `/${repository}/resolve/${encodeURIComponent(revision)}/${file.split('/').map(encodeURIComponent).join('/')}`;
