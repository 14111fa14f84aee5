import { z } from 'zod';
import { batchCounters, type SaveOptions } from '../../weights';
import type { Module } from '../../nn';
import { architecture } from '../architecture';
import { count, labelCount, labelNames, labels, probability } from '../config-json';
import { InceptionResNetV2, inceptionResNetV2Defaults, type InceptionResNetV2Config } from '../inception-resnet-v2';
import { MobileNetV2, mobileNetV2Defaults, type MobileNetV2Config } from '../mobilenet-v2';
import { huggingFaceToTorchvision, timmToTorchvision, torchvisionToHuggingFace, torchvisionToTimm } from '../mobilenet-v2-names';
import { ResNet, resNetDefaults, resNetSizes, type ResNetConfig } from '../resnet';
import { huggingFaceToResNet, resNetToHuggingFace } from '../resnet-names';

/** PyTorch's norms count their batches in a tensor of their own, which strict readers there want. */
const saved = (rename?: (name: string) => string) => (model: Module): SaveOptions => ({ rename, extra: batchCounters(model, rename) });

const four = <T extends z.ZodType>(item: T) => z.array(item).length(4, 'only 4 stages are supported');
const only = <T extends string | number | boolean>(value: T) => z.literal(value, `only ${value} is supported`).default(value as never);

/** transformers' ResNetConfig. */
const resNet = z.object({
  numChannels: count.default(3), embeddingSize: count.default(64), hiddenSizes: four(count).default([...resNetDefaults.hiddenSizes]),
  depths: four(count).default([...resNetDefaults.depths]), layerType: z.enum(['basic', 'bottleneck']).default('bottleneck'), hiddenAct: only('relu'),
  downsampleInFirstStage: z.boolean().default(false), downsampleInBottleneck: z.boolean().default(false), ...labels,
}).transform(({ numLabels, id2label, hiddenAct: _, ...config }): ResNetConfig => ({ ...config, numLabels: labelCount({ numLabels, id2label }) }));

/** Arguments that timm writes for every network. */
const timmArgs = { numClasses: count, globalPool: z.literal('avg', 'only avg is supported') };

type ResNetSize = keyof typeof resNetSizes;
/** timm's ResNet arguments that keep to this network; `channels` are those inside a block. */
const timmResNet = z.object({
  architecture: z.enum(Object.keys(resNetSizes) as [ResNetSize, ...ResNetSize[]]), numClasses: count.default(1000),
  modelArgs: z.strictObject({ layers: four(count), channels: four(count), inChans: count, ...timmArgs }).partial().default({}),
}).transform(({ architecture: name, numClasses, modelArgs: { layers, channels, inChans } }): ResNetConfig => {
  const published = { ...resNetDefaults, ...resNetSizes[name] }, factor = published.layerType === 'basic' ? 1 : 4;
  return {
    ...published, numLabels: numClasses, numChannels: inChans ?? 3, depths: layers ?? published.depths,
    hiddenSizes: channels?.map((inner) => inner * factor) ?? published.hiddenSizes,
  };
});

/** transformers' MobileNetV2Config. The rest of its keys is the same in every published checkpoint. */
const mobileNet = z.object({
  numChannels: only(3), depthMultiplier: z.number().positive().max(8).default(1), depthDivisibleBy: only(8), minDepth: only(8), expandRatio: only(6),
  outputStride: only(32), firstLayerIsExpansion: only(true), finegrainedOutput: only(true), hiddenAct: only('relu6'), tfPadding: z.boolean().default(true),
  layerNormEps: z.number().positive().default(1e-3), classifierDropoutProb: probability.default(0.8), ...labels,
}).transform(({ depthMultiplier, tfPadding, layerNormEps, classifierDropoutProb, numLabels, id2label }): MobileNetV2Config => ({
  ...mobileNetV2Defaults, widthMultiplier: depthMultiplier, tfPadding, batchNormEpsilon: layerNormEps, dropout: classifierDropoutProb,
  numClasses: labelCount({ numLabels, id2label }),
}));

/** timm's names say the width in per cent. */
const timmMobileNetNames = ['035', '050', '075', '100', '140'].map((width) => `mobilenetv2_${width}`);
const timmMobileNet = z.object({
  architecture: z.enum(timmMobileNetNames), numClasses: count.default(1000),
  modelArgs: z.strictObject({ ...timmArgs, inChans: z.literal(3, 'only 3 is supported') }).partial().optional(),
}).transform(({ architecture: name, numClasses }): MobileNetV2Config =>
  ({ ...mobileNetV2Defaults, widthMultiplier: Number(name.slice(-3)) / 100, numClasses, dropout: 0 }));

const repeat = z.number().int().min(0).max(1000);
/** timm's inception_resnet_v2. `repeats` and `width` are this library's own, for small networks of the kind; timm knows only the published one. */
const inception = z.object({
  architecture: z.literal('inception_resnet_v2'), numClasses: count.default(inceptionResNetV2Defaults.numClasses),
  modelArgs: z.strictObject({
    ...timmArgs, inChans: count, dropRate: probability, width: z.number().positive().max(8), repeats: z.tuple([repeat, repeat, repeat]),
  }).partial().default({}),
}).transform(({ numClasses, modelArgs: { globalPool: _, ...changed } }): InceptionResNetV2Config =>
  ({ ...inceptionResNetV2Defaults, ...changed, numClasses }));

export const convolutionalArchitectures = [
  architecture<ResNet, ResNetConfig>({
    names: ['ResNetForImageClassification'], modelType: 'resnet', model: ResNet, schema: resNet, build: (config, random) => new ResNet(config, random),
    load: { rename: huggingFaceToResNet }, save: saved(resNetToHuggingFace),
    config: ({ config: { numLabels, ...config } }) => ({ ...config, hiddenAct: 'relu', id2label: labelNames(numLabels) }),
  }),
  architecture<ResNet, ResNetConfig>({
    names: Object.keys(resNetSizes), modelType: null, model: ResNet, schema: timmResNet, save: saved(),
    build: (config, random) => new ResNet(config, random),
    config: ({ config }) => timmResNetConfig(config),
  }),
  architecture<MobileNetV2, MobileNetV2Config>({
    names: ['MobileNetV2ForImageClassification'], modelType: 'mobilenet_v2', model: MobileNetV2, schema: mobileNet,
    build: (config, random) => new MobileNetV2(config, random), load: { rename: huggingFaceToTorchvision }, save: saved(torchvisionToHuggingFace),
    config: ({ config }) => huggingFaceMobileNetConfig(config),
  }),
  architecture<MobileNetV2, MobileNetV2Config>({
    names: timmMobileNetNames, modelType: null, model: MobileNetV2, schema: timmMobileNet, build: (config, random) => new MobileNetV2(config, random),
    load: { rename: timmToTorchvision }, save: saved(torchvisionToTimm),
    config: ({ config: { widthMultiplier, numClasses }, featureSize }) => {
      const name = `mobilenetv2_${String(Math.round(100 * widthMultiplier)).padStart(3, '0')}`;
      return { architecture: name, numClasses, numFeatures: featureSize };
    },
  }),
  architecture<InceptionResNetV2, InceptionResNetV2Config>({
    names: ['inception_resnet_v2'], modelType: null, model: InceptionResNetV2, schema: inception, save: saved(),
    build: (config, random) => new InceptionResNetV2(config, random),
    config: ({ config: { numClasses, ...rest }, featureSize }) => {
      const published: Record<string, unknown> = { ...inceptionResNetV2Defaults };
      const changed = Object.entries(rest).filter(([key, value]) => String(value) !== String(published[key]));
      const modelArgs = { ...Object.fromEntries(changed), numClasses, globalPool: 'avg' };
      return { architecture: 'inception_resnet_v2', numClasses, numFeatures: featureSize, ...(changed.length ? { modelArgs } : {}) };
    },
  }),
];

function timmResNetConfig(config: ResNetConfig): object {
  const { layerType, hiddenSizes, depths, embeddingSize, numChannels, numLabels, downsampleInBottleneck, downsampleInFirstStage } = config;
  if (embeddingSize !== 64 || downsampleInBottleneck || downsampleInFirstStage) {
    throw new Error('timm\'s ResNet has no place for another stem or other strides than the published ones: save it as ResNetForImageClassification.');
  }
  const factor = layerType === 'basic' ? 1 : 4;
  const name = Object.entries(resNetSizes)
    .find(([, size]) => String(size.depths) === String(depths) && ('layerType' in size ? 'basic' : 'bottleneck') === layerType)?.[0];
  const inner = hiddenSizes.map((size) => size / factor), published = name !== undefined && String(inner) === '64,128,256,512';
  const modelArgs = { layers: depths, channels: inner, inChans: numChannels, numClasses: numLabels, globalPool: 'avg' };
  return {
    architecture: name ?? (layerType === 'basic' ? 'resnet18' : 'resnet50'), numClasses: numLabels, numFeatures: hiddenSizes[3],
    ...(published && numChannels === 3 ? {} : { modelArgs }),
  };
}

function huggingFaceMobileNetConfig(config: MobileNetV2Config): object {
  const { widthMultiplier, tfPadding, batchNormEpsilon, numClasses, dropout, lastChannel, stages } = config;
  if (lastChannel !== mobileNetV2Defaults.lastChannel || String(stages) !== String(mobileNetV2Defaults.stages)) {
    throw new Error('Hugging Face\'s MobileNetV2Config has no place for other stages than the published ones.');
  }
  return {
    depthMultiplier: widthMultiplier, depthDivisibleBy: 8, minDepth: 8, expandRatio: 6, finegrainedOutput: true, firstLayerIsExpansion: true,
    hiddenAct: 'relu6', numChannels: 3, outputStride: 32, tfPadding, layerNormEps: batchNormEpsilon, classifierDropoutProb: dropout, id2label: labelNames(numClasses),
  };
}
