/** From what people call a checkpoint to the folder that holds it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { inProject } from '../project';
import { formatBytes } from './download/byte-size';
import { missingFiles } from './download/file-choice';
import { RepositoryCache } from './download/hub-cache';
import { hubCacheFolder } from './download/hub-settings';
import { checkRevision, isRepository } from './download/repository';
import { findCheckpointEntry, folderVariable, similarNames } from './registry';
import { WeightsError } from './stored-dtype';

export interface ResolveOptions {
  /** Branch, tag or commit among the downloaded; default the registry's, else `main`. */
  revision?: string;
}

const isFolder = (folder: string): boolean => fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * The local folder of a checkpoint in Hugging Face layout. No server is asked. In this order:
 *
 * 1. for a plain name: the folder that the environment variable NAME_DIR names (`mobilenet_v2` → MOBILENET_V2_DIR), then weights/NAME and
 *    weights/cache/NAME in the project;
 * 2. a folder, given by its path, relative to the project or to the current folder;
 * 3. what was downloaded of the repository (a name of the registry, or owner/repository): see `hubCacheFolder`.
 *
 * @throws WeightsError when it is nowhere, or only in part: where it was looked for, and which command fetches it.
 */
export function resolveCheckpoint(nameOrFolder: string, options: ResolveOptions = {}): string {
  if (nameOrFolder === '') {
    throw new WeightsError('The checkpoint has an empty name: expected one of the registry, owner/repository or a folder.');
  }
  const isPlainName = /^[\w.-]+$/.test(nameOrFolder) && !/^\.+$/.test(nameOrFolder);
  if (isPlainName) {
    const placed = placedFolder(nameOrFolder);
    if (placed) return placed;
  }
  const folder = [inProject(nameOrFolder), path.resolve(nameOrFolder)].find((at) => fs.existsSync(at));
  if (folder && isFolder(folder)) return folder;
  if (folder) throw new WeightsError(`${folder} is a file: expected a checkpoint's folder. For weights alone use loadState.`);
  const entry = findCheckpointEntry(nameOrFolder), repository = entry?.repository ?? nameOrFolder;
  if (isRepository(repository) && (entry || !path.isAbsolute(nameOrFolder))) return downloadedFolder(nameOrFolder, repository, options);
  throw new WeightsError(unknownName(nameOrFolder, isPlainName));
}

function placedFolder(name: string): string | undefined {
  const holdsConfig = (folder: string) => fs.existsSync(path.join(folder, 'config.json'));
  const variable = folderVariable(name), named = process.env[variable];
  if (!named) return [inProject('weights', name), inProject('weights', 'cache', name)].find(holdsConfig);
  if (holdsConfig(inProject(named))) return inProject(named);
  throw new WeightsError(`${variable} names ${inProject(named)}, which holds no config.json: `
    + `correct it, or leave it out to use ${name} from weights/ or the cache.`);
}

function downloadedFolder(name: string, repository: string, options: ResolveOptions): string {
  const entry = findCheckpointEntry(repository), revision = checkRevision(options.revision ?? entry?.revision ?? 'main');
  const cache = new RepositoryCache(hubCacheFolder(), repository), folder = cache.findSnapshot(revision);
  const missing = folder ? missingFiles(folder) : [];
  if (folder && missing.length === 0) return folder;
  const command = `npx captioning download ${entry?.name ?? repository}${options.revision ? ` --revision ${revision}` : ''}`;
  const weighs = entry ? ` (about ${formatBytes(entry.bytes)}, licence: ${entry.licence})` : '';
  const lacks = `is here in part: ${folder} lacks ${missing.join(', ')}`;
  if (folder) throw new WeightsError(`The checkpoint ${name} ${lacks}. Complete it: ${command}${weighs}.`);
  const plain = !name.includes('/'), looked = `${plain ? `${inProject('weights', name)} and ` : ''}revision ${revision} in ${cache.folder}`;
  throw new WeightsError(`The checkpoint ${name} is not here (looked for ${looked}). `
    + `Fetch it: ${command}${weighs}${plain ? `; or set ${folderVariable(name)} to its folder` : ''}.`);
}

function unknownName(name: string, isPlainName: boolean): string {
  if (!isPlainName) {
    return `There is no folder ${inProject(name)}: expected a folder with config.json and weights, or owner/repository, `
      + 'or a name of the registry.';
  }
  return `There is no checkpoint ${name} (no folder ${inProject('weights', name)}, and not in the registry).${similarNames(name)} `
    + '`npx captioning download --list` shows the registry; owner/repository and folders are understood too.';
}
