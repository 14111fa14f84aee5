import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { loadCaptioner, type Captioner } from '../captioners';
import { inProject } from '../project';
import type { DatasetChoice } from './dataset';

/** Where a notebook keeps the captioner of a report ("003") for other notebooks. */
export const captionerFolder = (report: string, { dataset }: DatasetChoice): string => inProject('runs', `captioner-${report}-${dataset}`);

/** Whether a captioner lies in the folder. */
export const hasCaptioner = (folder: string): boolean => existsSync(path.join(folder, 'config.json'));

/** @throws Error when the notebook of this number has kept no captioner in the folder */
export function requireCaptioner(folder: string, notebook: string): void {
  if (hasCaptioner(folder)) return;
  throw new Error(`${folder} has no captioner: run notebook ${notebook}, whose last step keeps it there, with the same PROFILE.`);
}

/** The captioner that the notebook of this number has kept. @throws Error as `requireCaptioner` */
export function keptCaptioner(folder: string, notebook: string): Captioner {
  requireCaptioner(folder, notebook);
  return loadCaptioner(folder);
}
