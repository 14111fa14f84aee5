// How each small vision network is built, trained and saved.
import type { Random } from '../../lib/engine';
import { tf, type Tensor, type Tensor4D } from '../../lib/engine';
import type { ImageProcessor } from '../../lib/images';
import {
  DeiT3,
  InceptionResNetV2,
  load,
  MobileNetV2,
  ResNet,
  save,
  ViTForImageClassification,
  type ResNetConfig,
} from '../../lib/models';
import type { Module } from '../../lib/nn';
import { inProject } from '../../lib/project';
import { copyTower } from './copy-tower';
import { PICTURE_LABELS } from './scene-labels';
import type { VisionNetwork, VisionRun } from './vision-encoder';

export interface VisionRecipe {
  /** Under weights/, where it is not NAME-scenes. */
  folder?: string;
  /** Side of the network's pictures. */
  size: number;
  steps: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  crops?: VisionRun['crops'];
  build(random: Random): VisionNetwork;
  save(folder: string, network: Module, processor: ImageProcessor): void;
}

/** The transformers' towers: 128×128 in 8×8 patches of 16×16. */
export const TOWER = {
  imageSize: 128,
  patchSize: 16,
  hiddenSize: 192,
  numHiddenLayers: 6,
  numAttentionHeads: 3,
  intermediateSize: 512,
} as const;
/** What is built on a copy of the ViT has its first layers only: all checkpoints together stay small. */
export const SHORT_TOWER = { ...TOWER, numHiddenLayers: 4 } as const;
const GRID = TOWER.imageSize / TOWER.patchSize;

/** Statistics of batch norms stay in 32 bits. */
const half = { half: (name: string) => !/running_/.test(name) };
/** Of pictures that are 5×5 cells of 32 pixels. */
const partsOf160 = { epochs: 5, size: 96, grid: 3, batchSize: 48 };
const id2label = Object.fromEntries(PICTURE_LABELS.map((label, i) => [i, label]));

/** (B, T, hidden) → cells (B·patches, hidden), the class token left out. */
const patches = (states: Tensor): Tensor => tf.reshape(tf.slice(states, [0, 1, 0], [-1, -1, -1]), [-1, states.shape[2]!]);

/** A feature map (B, H, W, C) → cells (B·H·W, C) and its mean (B, C). */
const mapCells = (map: Tensor4D): { cells: Tensor; mean: Tensor } => ({
  cells: tf.reshape(map, [-1, map.shape[3]]),
  mean: tf.mean(map, [1, 2]),
});

const trainedViT = (): ViTForImageClassification => load(inProject('weights', 'vit-scenes'), { as: ViTForImageClassification }).model;

const visionTransformer = (
  steps: number,
  learningRate: number,
  make: (random: Random) => ViTForImageClassification,
): VisionRecipe => ({
  size: TOWER.imageSize,
  steps,
  batchSize: 32,
  learningRate,
  weightDecay: 0.03,
  build(random) {
    const network = make(random);
    return {
      network,
      features: TOWER.hiddenSize,
      grid: GRID,
      forward(pixelValues) {
        const { lastHiddenState, logits } = network.forward({ pixelValues });
        return { cells: patches(lastHiddenState), logits };
      },
    };
  },
  save: (folder, model, processor) =>
    save(folder, { model, processor, config: { id2label, problem_type: 'multi_label_classification' } }, half),
});

/** timm's layout: one config.json, the preparation of pictures included. */
const saveTimm =
  (architecture: string, layers: { first_conv: string; classifier: string }): VisionRecipe['save'] =>
  (folder, model, processor) => {
    const { imageMean, imageStd, size } = processor.config;
    const side = 'height' in size ? size.height : size.shortestEdge;
    const pretrained = {
      tag: 'scenes',
      input_size: [3, side, side],
      fixed_input_size: true,
      interpolation: 'bilinear',
      crop_pct: 1,
      crop_mode: 'center',
      mean: imageMean,
      std: imageStd,
      num_classes: PICTURE_LABELS.length,
      pool_size: null,
      ...layers,
    };
    save(folder, { model, config: { architecture, label_names: PICTURE_LABELS, pretrained_cfg: pretrained } }, half);
  };

/** A ResNet of narrow stages; 160×160 pixels give 5×5 positions of 512 features. */
const resNet = (depths: ResNetConfig['depths'], steps: number): VisionRecipe => ({
  size: 160,
  steps,
  batchSize: 32,
  learningRate: 2e-3,
  weightDecay: 1e-4,
  crops: partsOf160,
  build(random) {
    const network = new ResNet({ embeddingSize: 32, hiddenSizes: [64, 128, 256, 512], depths, numLabels: PICTURE_LABELS.length }, random);
    return {
      network,
      features: network.featureSize,
      grid: 5,
      forward(pixels) {
        const { cells, mean } = mapCells(network.featureMap(pixels));
        return { cells, logits: network.fc.forward(mean) };
      },
    };
  },
  save: (folder, model, processor) =>
    save(folder, { model, processor, config: { id2label, problem_type: 'multi_label_classification' } }, half),
});

export const VISION_RECIPES: Record<string, VisionRecipe> = {
  vit: visionTransformer(3000, 1e-3, (random) => new ViTForImageClassification(TOWER, PICTURE_LABELS.length, random)),
  // A second round from where the first ended, warmup and all. The networks that start from the ViT were made before it.
  'vit-again': { ...visionTransformer(1000, 8e-4, trainedViT), folder: 'vit-scenes' },

  // Starts from the ViT's weights: its first layers under other names.
  deit3: {
    size: TOWER.imageSize,
    steps: 1600,
    batchSize: 32,
    learningRate: 8e-4,
    weightDecay: 0.03,
    build(random) {
      const { imageSize, patchSize, hiddenSize, numAttentionHeads } = TOWER;
      const network = new DeiT3(
        {
          imgSize: imageSize,
          patchSize,
          embedDim: hiddenSize,
          depth: SHORT_TOWER.numHiddenLayers,
          numHeads: numAttentionHeads,
          mlpRatio: 2.67,
          initValues: 1,
          numClasses: PICTURE_LABELS.length,
        },
        random,
      );
      const tower = trainedViT();
      copyTower(tower, network);
      tower.dispose();
      return {
        network,
        features: hiddenSize,
        grid: GRID,
        forward(pixelValues) {
          const { lastHiddenState, logits } = network.forward({ pixelValues });
          return { cells: patches(lastHiddenState), logits };
        },
      };
    },
    save: saveTimm('deit3_small_patch16_224', { first_conv: 'patch_embed.proj', classifier: 'head' }),
  },

  mobilenet_v2: {
    size: 160,
    steps: 4000,
    batchSize: 32,
    learningRate: 3e-3,
    weightDecay: 1e-4,
    crops: partsOf160,
    build(random) {
      const network = new MobileNetV2(
        { widthMultiplier: 0.35, numClasses: PICTURE_LABELS.length, tfPadding: true, batchNormEpsilon: 1e-3, dropout: 0 },
        random,
      );
      return {
        network,
        features: network.featureSize,
        grid: 5,
        forward(pixels) {
          const { cells, mean } = mapCells(network.featureMap(pixels));
          return { cells, logits: network.classifier.forward(mean) };
        },
      };
    },
    save(folder, model, processor) {
      save(folder, { model, config: { id2label } }, { half: (name) => !/running_/.test(name) });
      processor.save(folder, 'MobileNetV2ImageProcessor');
    },
  },

  // Of ResNet-101's and ResNet-50's kind, a teacher and a student whose features have one width.
  resnet101: resNet([2, 3, 5, 2], 2800),
  resnet50: resNet([1, 1, 2, 1], 1600),

  // Its stem and its reductions do not pad: 203×203 pixels give 5×5 cells of 32, and 21 pixels are left over along each edge.
  inception_resnet_v2: {
    size: 203,
    steps: 1600,
    batchSize: 32,
    learningRate: 2e-3,
    weightDecay: 1e-4,
    crops: { epochs: 5, size: 139, grid: 3, batchSize: 48 },
    build(random) {
      const network = new InceptionResNetV2({ width: 0.2, repeats: [2, 3, 1], numClasses: PICTURE_LABELS.length }, random);
      return {
        network,
        features: network.featureSize,
        grid: 5,
        margin: 21,
        forward(pixels) {
          const { cells, mean } = mapCells(network.featureMap(pixels));
          return { cells, logits: network.classif.forward(mean) };
        },
      };
    },
    save: saveTimm('inception_resnet_v2', { first_conv: 'conv2d_1a.conv', classifier: 'classif' }),
  },
};
