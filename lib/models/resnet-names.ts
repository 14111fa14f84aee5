/** Names of ResNet's parameters in Hugging Face's checkpoints (ResNetForImageClassification) and in torchvision's and timm's. */

const outer: readonly (readonly [theirs: string, ours: string])[] = [
  ['resnet.embedder.embedder.convolution', 'conv1'], ['resnet.embedder.embedder.normalization', 'bn1'], ['classifier.1', 'fc'],
];

/** torchvision's and timm's name for one of Hugging Face's, with or without the prefix `resnet.`; other names stay as they are. */
export function huggingFaceToResNet(name: string): string {
  const full = /^(embedder|encoder)\./.test(name) ? `resnet.${name}` : name;
  for (const [theirs, ours] of outer) if (full.startsWith(`${theirs}.`)) return ours + full.slice(theirs.length);
  return full
    .replace(/^resnet\.encoder\.stages\.(\d+)\.layers\.(\d+)\./, (_, stage: string, block: string) => `layer${Number(stage) + 1}.${block}.`)
    .replace(/\.shortcut\.(convolution|normalization)\./, (_, part: string) => `.downsample.${part === 'convolution' ? 0 : 1}.`)
    .replace(/\.layer\.(\d+)\.(convolution|normalization)\./,
      (_, index: string, part: string) => `.${part === 'convolution' ? 'conv' : 'bn'}${Number(index) + 1}.`);
}

/** The reverse of `huggingFaceToResNet`, with the prefix. */
export function resNetToHuggingFace(name: string): string {
  for (const [theirs, ours] of outer) if (name.startsWith(`${ours}.`)) return theirs + name.slice(ours.length);
  const part = (word: string) => (word === 'conv' || word === '0' ? 'convolution' : 'normalization');
  return name
    .replace(/^layer(\d+)\.(\d+)\./, (_, stage: string, block: string) => `resnet.encoder.stages.${Number(stage) - 1}.layers.${block}.`)
    .replace(/\.downsample\.(\d)\./, (_, index: string) => `.shortcut.${part(index)}.`)
    .replace(/\.(conv|bn)(\d)\./, (_, word: string, index: string) => `.layer.${Number(index) - 1}.${part(word)}.`);
}
