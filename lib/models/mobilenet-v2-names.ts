/** The published naming schemes of MobileNetV2: torchvision's, which is ours, Hugging Face's and timm's, as pairs of prefixes. */

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

/** timm (mobilenetv2_*, timm/models/_efficientnet_blocks.py) counts the blocks of each stage anew. */
const timmPairs: [string, string][] = [
  ['conv_stem', 'features.0.0'], ['bn1', 'features.0.1'], ['conv_head', 'features.18.0'], ['bn2', 'features.18.1'], ['classifier', 'classifier.1'],
];
let block = 1;
for (const [stage, repeats] of [1, 2, 3, 4, 3, 3, 1].entries()) {
  for (let i = 0; i < repeats; i++, block++) {
    const [theirs, ours] = [`blocks.${stage}.${i}`, `features.${block}.conv`];
    const layers = stage === 0 ? ['conv_dw', 'bn1', 'conv_pw', 'bn2'] : ['conv_pw', 'bn1', 'conv_dw', 'bn2', 'conv_pwl', 'bn3'];
    // All layers but the last two stand in pairs of convolution and norm.
    const paired = layers.length - 2;
    for (const [at, layer] of layers.entries()) timmPairs.push([`${theirs}.${layer}`, `${ours}.${at < paired ? `${at >> 1}.${at & 1}` : at - paired / 2}`]);
  }
}
const fromTimm = new Map(timmPairs), toTimm = new Map(timmPairs.map(([theirs, ours]) => [ours, theirs]));

/** torchvision's name for one of timm's; other names stay as they are. */
export const timmToTorchvision = (name: string): string => translate(fromTimm, name);

/** timm's name for one of torchvision's. */
export const torchvisionToTimm = (name: string): string => translate(toTimm, name);
