// How each small vision network is built, trained and saved.
import type { Random } from '../../lib/engine';
import { tf, type Tensor, type Tensor4D } from '../../lib/engine';
import type { ImageProcessor } from '../../lib/images';
import { DeiT3, load, MobileNetV2, ResNet, save, saveMobileNetV2, ViTForImageClassification, type ResNetConfig } from '../../lib/models';
import type { Module } from '../../lib/nn';
import { inProject } from '../../lib/project';
import { copyTower } from './copy-tower';
import { PICTURE_LABELS } from './scene-labels';
import type { VisionNetwork, VisionRun } from './vision-encoder';

export interface VisionRecipe {
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
export const TOWER = { imageSize: 128, patchSize: 16, hiddenSize: 192, numHiddenLayers: 6, numAttentionHeads: 3, intermediateSize: 512 } as const;
const GRID = TOWER.imageSize / TOWER.patchSize;

const half = { half: () => true };
const id2label = Object.fromEntries(PICTURE_LABELS.map((label, i) => [i, label]));

/** (B, T, hidden) → cells (B·patches, hidden), the class token left out. */
const patches = (states: Tensor): Tensor => tf.reshape(tf.slice(states, [0, 1, 0], [-1, -1, -1]), [-1, states.shape[2]!]);

/** A feature map (B, H, W, C) → cells (B·H·W, C) and its mean (B, C). */
const mapCells = (map: Tensor4D): { cells: Tensor; mean: Tensor } => ({ cells: tf.reshape(map, [-1, map.shape[3]]), mean: tf.mean(map, [1, 2]) });

/** A ResNet of narrow stages; 160×160 pixels give 5×5 positions of 512 features. */
const resNet = (depths: ResNetConfig['depths'], steps: number): VisionRecipe => ({
  size: 160, steps, batchSize: 32, learningRate: 2e-3, weightDecay: 1e-4, crops: { epochs: 5, grid: 3, batchSize: 48 },
  build(random) {
    const network = new ResNet({ embeddingSize: 32, hiddenSizes: [64, 128, 256, 512], depths, numLabels: PICTURE_LABELS.length }, random);
    return {
      network, features: network.featureSize, grid: 5,
      forward(pixels) {
        const { cells, mean } = mapCells(network.featureMap(pixels));
        return { cells, logits: network.fc.forward(mean) };
      },
    };
  },
  save: (folder, model, processor) => save(folder, { model, processor, config: { id2label, problem_type: 'multi_label_classification' } }, half),
});

export const VISION_RECIPES: Record<string, VisionRecipe> = {
  vit: {
    size: TOWER.imageSize, steps: 3000, batchSize: 32, learningRate: 1e-3, weightDecay: 0.03,
    build(random) {
      const network = new ViTForImageClassification(TOWER, PICTURE_LABELS.length, random);
      return {
        network, features: TOWER.hiddenSize, grid: GRID,
        forward(pixelValues) {
          const { lastHiddenState, logits } = network.forward({ pixelValues });
          return { cells: patches(lastHiddenState), logits };
        },
      };
    },
    save: (folder, model, processor) => save(folder, { model, processor, config: { id2label, problem_type: 'multi_label_classification' } }, half),
  },

  // Starts from the ViT's weights: the same layers under other names.
  deit3: {
    size: TOWER.imageSize, steps: 1500, batchSize: 32, learningRate: 5e-4, weightDecay: 0.03,
    build(random) {
      const { imageSize, patchSize, hiddenSize, numHiddenLayers, numAttentionHeads } = TOWER;
      const network = new DeiT3({
        imgSize: imageSize, patchSize, embedDim: hiddenSize, depth: numHiddenLayers, numHeads: numAttentionHeads, mlpRatio: 2.67, initValues: 1,
        numClasses: PICTURE_LABELS.length,
      }, random);
      const { model } = load(inProject('weights', 'vit-scenes'), { as: ViTForImageClassification });
      copyTower(model, network);
      model.dispose();
      return {
        network, features: hiddenSize, grid: GRID,
        forward(pixelValues) {
          const { lastHiddenState, logits } = network.forward({ pixelValues });
          return { cells: patches(lastHiddenState), logits };
        },
      };
    },
    save(folder, model, processor) {
      const { imageMean, imageStd } = processor.config, { imageSize } = TOWER;
      const pretrained = {
        tag: 'scenes', input_size: [3, imageSize, imageSize], fixed_input_size: true, interpolation: 'bilinear', crop_pct: 1, crop_mode: 'center',
        mean: imageMean, std: imageStd, num_classes: PICTURE_LABELS.length, pool_size: null, first_conv: 'patch_embed.proj', classifier: 'head',
      };
      save(folder, { model, config: { architecture: 'deit3_small_patch16_224', label_names: PICTURE_LABELS, pretrained_cfg: pretrained } }, half);
    },
  },

  mobilenet_v2: {
    size: 160, steps: 4000, batchSize: 32, learningRate: 3e-3, weightDecay: 1e-4, crops: { epochs: 5, grid: 3, batchSize: 48 },
    build(random) {
      const network = new MobileNetV2({ widthMultiplier: 0.35, numClasses: PICTURE_LABELS.length, tfPadding: true, batchNormEpsilon: 1e-3 }, random);
      return {
        network, features: network.featureSize, grid: 5,
        forward(pixels) {
          const { cells, mean } = mapCells(network.featureMap(pixels));
          return { cells, logits: network.classifier.forward(mean) };
        },
      };
    },
    save(folder, model, processor) {
      saveMobileNetV2(model as MobileNetV2, folder, { labels: PICTURE_LABELS, half: true });
      processor.save(folder, 'MobileNetV2ImageProcessor');
    },
  },

  // Of ResNet-101's and ResNet-50's kind, a teacher and a student whose features have one width.
  resnet101: resNet([2, 3, 8, 3], 3200),
  resnet50: resNet([1, 2, 3, 1], 3200),
};
