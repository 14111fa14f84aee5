import { z } from 'zod';
import { activationNames } from '../../nn';
import { architecture } from '../architecture';
import { count, labelCount, labelNames, labels, probability } from '../config-json';
import { ViTForImageClassification, ViTModel, vitDefaults as d, vitSizes, type ViTConfig } from '../vit';
import { timmAsViT } from '../vit-timm';

/** transformers' ViTConfig. */
export const vitConfigSchema = z.object({
  imageSize: count.default(d.imageSize), patchSize: count.default(d.patchSize), numChannels: count.default(d.numChannels), hiddenSize: count.default(d.hiddenSize),
  numHiddenLayers: count.default(d.numHiddenLayers), numAttentionHeads: count.default(d.numAttentionHeads), intermediateSize: count.default(d.intermediateSize),
  hiddenAct: z.enum(activationNames).default(d.hiddenAct), layerNormEps: z.number().positive().default(d.layerNormEps), qkvBias: z.boolean().default(d.qkvBias),
  hiddenDropoutProb: probability.default(d.hiddenDropoutProb), attentionProbsDropoutProb: probability.default(d.attentionProbsDropoutProb),
  poolerAct: z.literal('tanh', 'only tanh is supported').default('tanh'),
});
const withLabels = vitConfigSchema.extend(labels);

/** timm's vit_*_patch*_* (timm/models/vision_transformer.py): what the name implies. */
const timm = z.object({
  architecture: z.string().regex(/^vit_(small|base|large)_patch(16|32)_(224|384)$/),
  numClasses: count.default(1000),
}).transform(({ architecture: name, numClasses }) => {
  const [, size, patch, image] = /^vit_(\w+?)_patch(\d+)_(\d+)$/.exec(name)!;
  return { ...d, ...vitSizes[size as keyof typeof vitSizes], patchSize: Number(patch), imageSize: Number(image), layerNormEps: 1e-6, numLabels: numClasses };
});
const timmNames = ['small', 'base', 'large'].flatMap((size) => [16, 32].flatMap((patch) => [224, 384].map((image) => `vit_${size}_patch${patch}_${image}`)));

export const vitArchitectures = [
  architecture<ViTForImageClassification, z.infer<typeof withLabels>>({
    names: ['ViTForImageClassification'], modelType: 'vit', model: ViTForImageClassification, schema: withLabels,
    build: (config, random) => new ViTForImageClassification(vitConfigSchema.parse(config), labelCount(config), random),
    load: { prefix: 'vit.' },
    config: ({ config, numLabels }) => ({ ...config, id2label: labelNames(numLabels) }),
  }),
  architecture<ViTModel, ViTConfig>({
    names: ['ViTModel'], modelType: 'vit', model: ViTModel, schema: vitConfigSchema, load: { prefix: 'vit.', ignore: /^classifier\./ },
    build: (config, random, stored) => new ViTModel(config, random, { pooler: stored.has('pooler.dense.weight') || stored.has('vit.pooler.dense.weight') }),
    config: ({ config }) => config,
  }),
  architecture<ViTForImageClassification, z.infer<typeof timm>>({
    names: timmNames, modelType: null, model: ViTForImageClassification, schema: timm,
    build: ({ numLabels, ...config }, random) => new ViTForImageClassification(config, numLabels, random),
    adapt: timmAsViT, config: ({ config }) => config,
  }),
];
