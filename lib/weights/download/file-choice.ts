/** Which of a repository's files this library reads, and whether a folder has all of them that it must have. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { weightFilesAmong } from '../weight-files';

/** Besides the weights: what says how the network is built, how pictures and text go in, and how text comes out. */
const wanted = new Set([
  'config.json', 'generation_config.json', 'preprocessor_config.json', 'processor_config.json', 'chat_template.json', 'chat_template.jinja',
  'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'vocab.json', 'merges.txt', 'vocab.txt',
]);

/**
 * The files to download out of all a repository's: the small ones, then the weights in one format. No weights when the repository has none
 * that this library reads.
 */
export const chooseFiles = (names: readonly string[]): { files: string[]; weights: string[] } =>
  ({ files: names.filter((name) => wanted.has(name)).sort(), weights: weightFilesAmong(names) });

/** What a checkpoint's folder lacks before it can be loaded: config.json, or weights, or parts that the index of the weights names. */
export function missingFiles(folder: string): string[] {
  const has = (name: string) => fs.existsSync(path.join(folder, name));
  const missing = has('config.json') ? [] : ['config.json'];
  const [head] = weightFilesAmong(fs.readdirSync(folder).filter(has));
  if (!head) return [...missing, 'model.safetensors'];
  if (!head.endsWith('.index.json')) return missing;
  return [...missing, ...partsIn(path.join(folder, head)).filter((name) => !has(name))];
}

/** The files that an index names; none for an index that cannot be read, which loading it then explains. */
function partsIn(index: string): string[] {
  try {
    const { weight_map: map } = JSON.parse(fs.readFileSync(index, 'utf8')) as { weight_map: Record<string, string> };
    return [...new Set(Object.values(map).map(String))].sort();
  } catch { return []; }
}
