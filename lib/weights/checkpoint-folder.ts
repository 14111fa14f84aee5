import * as fs from 'node:fs';
import * as path from 'node:path';
import { inProject } from '../project';

/**
 * The folder of a checkpoint in Hugging Face layout: what `variable` names in the environment, else weights/<name>, else
 * weights/cache/<name>.
 */
export function findCheckpointFolder(name: string, { variable, source }: { variable?: string; source?: string } = {}): string {
  const named = variable && process.env[variable];
  const looked = named ? [inProject(named)] : [inProject('weights', name), inProject('weights', 'cache', name)];
  const found = looked.find((folder) => fs.existsSync(path.join(folder, 'config.json')));
  if (found) return found;
  throw new Error(`The checkpoint ${name} was not found (looked in ${looked.join(' and ')}). `
    + `Put its config.json, model.safetensors and preprocessor_config.json${source ? ` from ${source}` : ''} there${variable ? `, or set ${variable} to its folder` : ''}.`);
}
