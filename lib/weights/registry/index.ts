/**
 * The published checkpoints of the five reports, and near relatives.
 *
 * Where the facts are from: repository names, licences, file lists and sizes are those of the hub's pages, preprocessing that of the
 * checkpoints' configuration files and timm's `pretrained_cfg`. There are no commits and no checksums here: a revision `main` means
 * whatever commit the hub names at the time, and every file is checked against what the hub itself says of it (SHA-256 of large files,
 * git's SHA-1 of small ones). To pin one, pass its commit as the revision.
 */
import type { CheckpointEntry } from './checkpoint-entry';
import { languageCheckpoints } from './language';
import { visionCheckpoints } from './vision';
import { visionLanguageCheckpoints } from './vision-language';

export type { CheckpointEntry } from './checkpoint-entry';

export const checkpointRegistry: readonly CheckpointEntry[] = [...visionCheckpoints, ...languageCheckpoints, ...visionLanguageCheckpoints];

/** The entry with this short name or repository. */
export const findCheckpointEntry = (nameOrRepository: string): CheckpointEntry | undefined =>
  checkpointRegistry.find(({ name, repository }) => name === nameOrRepository || repository === nameOrRepository);

/** The environment variable that says where a checkpoint lies, e.g. MOBILENET_V2_DIR. */
export const folderVariable = (name: string): string => `${name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_DIR`;

/** " Did you mean …?" for a name that is not in the registry but like some that are; else nothing. */
export function similarNames(unknown: string): string {
  const wanted = unknown.toLowerCase();
  const close = checkpointRegistry.map(({ name }) => name).filter((name) => name.includes(wanted) || wanted.includes(name));
  return close.length > 0 ? ` Did you mean ${close.join(' or ')}?` : '';
}
