/** Names from outside that become addresses and paths: repositories, revisions, files. */
import * as path from 'node:path';
import { HubError } from './hub-error';

/** A full commit, as the hub and git write it. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** Whether this has the form owner/repository; hub names have no "--", which the cache puts between the two. */
export const isRepository = (name: string): boolean =>
  name.length <= 128 && /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(name) && !/--|\.\.|[.-]$|[.-]\//.test(name);

/** @throws HubError for what is no branch, tag or commit, or would lead out of a folder as a path. */
export function checkRevision(revision: string): string {
  if (/^[\w][\w.+/-]{0,254}$/.test(revision) && !/\.\.|\/\/|\/$|(^|\/)\./.test(revision)) return revision;
  throw new HubError(`The revision ${JSON.stringify(revision)} is no branch, tag or commit: `
    + 'expected e.g. main, v1.0, refs/pr/3 or 40 hexadecimal digits.');
}

/** @throws HubError for a name of a file that is not a plain relative path in its folder. */
export function checkFileName(name: string): string {
  const parts = name.split('/');
  if (name.length <= 255 && parts.every((part) => part !== '' && !/^\.\.?$|[\\:\p{Cc}]/u.test(part)) && !path.isAbsolute(name)) return name;
  const shown = JSON.stringify(name.slice(0, 100));
  throw new HubError(`The server lists a file named ${shown}, which would lie outside its folder: nothing was downloaded.`);
}

/** The name of a repository's folder in the cache: models--owner--repository. */
export const repositoryFolder = (repository: string): string => `models--${repository.replace('/', '--')}`;
