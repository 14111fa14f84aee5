/** Which of a repository's files this library reads, and whether a folder has all of them that it must have. */
import * as fs from 'node:fs';
import * as path from 'node:path';

/** Besides the weights: what says how the network is built, how pictures and text go in, and how text comes out. */
const wanted = new Set([
  'config.json', 'generation_config.json', 'preprocessor_config.json', 'processor_config.json', 'chat_template.json', 'chat_template.jinja',
  'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'vocab.json', 'merges.txt', 'vocab.txt',
]);

/** Weights in the order of `openWeights`: safetensors before PyTorch, whole before in parts. */
const weightFormats: readonly { head: string; parts?: RegExp }[] = [
  { head: 'model.safetensors' },
  { head: 'model.safetensors.index.json', parts: /^model-\d+-of-\d+\.safetensors$/ },
  { head: 'pytorch_model.bin' },
  { head: 'pytorch_model.bin.index.json', parts: /^pytorch_model-\d+-of-\d+\.bin$/ },
];

/**
 * The files to download out of all a repository's, the weights last: one format of weights only, safetensors before PyTorch.
 * No weights among them when the repository has none in a format that this library reads.
 */
export function chooseFiles(names: readonly string[]): { files: string[]; weights: string[] } {
  const files = names.filter((name) => wanted.has(name)).sort();
  for (const { head, parts } of weightFormats) {
    if (names.includes(head)) return { files, weights: [head, ...(parts ? names.filter((name) => parts.test(name)).sort() : [])] };
  }
  const top = names.filter((name) => !name.includes('/'));
  for (const ending of ['.safetensors', '.pth', '.pt']) {
    const found = top.filter((name) => name.endsWith(ending));
    if (found.length === 1) return { files, weights: found };
  }
  return { files, weights: [] };
}

/** What a checkpoint's folder lacks before it can be loaded: config.json, or weights, or parts that the index of the weights names. */
export function missingFiles(folder: string): string[] {
  const has = (name: string) => fs.existsSync(path.join(folder, name));
  const missing = has('config.json') ? [] : ['config.json'];
  const { weights } = chooseFiles(fs.readdirSync(folder).filter(has));
  if (weights.length === 0) return [...missing, 'model.safetensors'];
  if (!weights[0].endsWith('.index.json')) return missing;
  return [...missing, ...partsIn(path.join(folder, weights[0])).filter((name) => !has(name))];
}

/** The files that an index names; none for an index that cannot be read, which loading it then explains. */
function partsIn(index: string): string[] {
  try {
    const { weight_map: map } = JSON.parse(fs.readFileSync(index, 'utf8')) as { weight_map: Record<string, string> };
    return [...new Set(Object.values(map).map(String))].sort();
  } catch { return []; }
}
