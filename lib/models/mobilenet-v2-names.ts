/** The two published naming schemes of MobileNetV2, as pairs of prefixes: Hugging Face's, torchvision's. */

const stem: readonly [string, string][] = [
  ['conv_stem.first_conv.convolution', 'features.0.0'], ['conv_stem.first_conv.normalization', 'features.0.1'],
  ['conv_stem.conv_3x3.convolution', 'features.1.conv.0.0'], ['conv_stem.conv_3x3.normalization', 'features.1.conv.0.1'],
  ['conv_stem.reduce_1x1.convolution', 'features.1.conv.1'], ['conv_stem.reduce_1x1.normalization', 'features.1.conv.2'],
];

/** Hugging Face counts the blocks after the stem, torchvision all of them; both networks have 16 after the stem. */
const blocks = Array.from({ length: 16 }, (_, i): [string, string][] => {
  const [theirs, ours] = [`layer.${i}`, `features.${i + 2}.conv`];
  return [
    [`${theirs}.expand_1x1.convolution`, `${ours}.0.0`], [`${theirs}.expand_1x1.normalization`, `${ours}.0.1`],
    [`${theirs}.conv_3x3.convolution`, `${ours}.1.0`], [`${theirs}.conv_3x3.normalization`, `${ours}.1.1`],
    [`${theirs}.reduce_1x1.convolution`, `${ours}.2`], [`${theirs}.reduce_1x1.normalization`, `${ours}.3`],
  ];
}).flat();

const head: readonly [string, string][] = [['conv_1x1.convolution', 'features.18.0'], ['conv_1x1.normalization', 'features.18.1']];

const pairs = [...stem, ...blocks, ...head].map(([theirs, ours]): [string, string] => [`mobilenet_v2.${theirs}`, ours]).concat([['classifier', 'classifier.1']]);
const toTorchvision = new Map(pairs);
const toHuggingFace = new Map(pairs.map(([theirs, ours]) => [ours, theirs]));

function translate(names: ReadonlyMap<string, string>, name: string): string {
  const dot = name.lastIndexOf('.');
  const prefix = names.get(name.slice(0, dot));
  return prefix === undefined ? name : prefix + name.slice(dot);
}

/** torchvision's name for a parameter of MobileNetV2ForImageClassification or MobileNetV2Model; other names stay as they are. */
export const huggingFaceToTorchvision = (name: string): string =>
  translate(toTorchvision, /^(conv_stem|layer|conv_1x1)\./.test(name) ? `mobilenet_v2.${name}` : name);

/** Name in MobileNetV2ForImageClassification for one of torchvision's. */
export const torchvisionToHuggingFace = (name: string): string => translate(toHuggingFace, name);
