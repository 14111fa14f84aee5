/** Which of a checkpoint's files hold its weights. */

interface WeightFormat {
  /** The file that stands for the format: the weights themselves, or the index of their parts. */
  head: string;
  parts?: RegExp;
}

/** In the order of transformers: safetensors before PyTorch, whole before in parts. */
const formats: readonly WeightFormat[] = [
  { head: 'model.safetensors' },
  { head: 'model.safetensors.index.json', parts: /^model-\d+-of-\d+\.safetensors$/ },
  { head: 'pytorch_model.bin' },
  { head: 'pytorch_model.bin.index.json', parts: /^pytorch_model-\d+-of-\d+\.bin$/ },
];

export const weightFileNames: readonly string[] = formats.map(({ head }) => head);

/** Files of weights under another name than the usual ones, which a folder may hold one of. */
export const otherWeightFiles = (names: readonly string[]): string[] =>
  names.filter((name) => /^[^/]+\.(safetensors|pth|pt)$/.test(name)).sort();

/**
 * Out of the names of a checkpoint's files those of the weights to read, in one format: the head first, then its parts. Empty when there
 * are none, or several and none with a usual name.
 */
export function weightFilesAmong(names: readonly string[]): string[] {
  for (const { head, parts } of formats) {
    if (names.includes(head)) return [head, ...(parts ? names.filter((name) => parts.test(name)).sort() : [])];
  }
  const others = otherWeightFiles(names), safe = others.filter((name) => name.endsWith('.safetensors'));
  return [others, safe].find(({ length }) => length === 1) ?? [];
}
