import type { CheckpointEntry } from './checkpoint-entry';

const revision = 'main';
const huggingFace = ['config.json', 'preprocessor_config.json', 'model.safetensors'] as const;
/** timm keeps the preprocessing in config.json (`pretrained_cfg`). */
const timm = ['config.json', 'model.safetensors'] as const;

const half = 'mean and std 0.5', imageNet = 'ImageNet mean and std';

/** Encoders of images. */
export const visionCheckpoints: readonly CheckpointEntry[] = [
  {
    name: 'mobilenet_v2', repository: 'google/mobilenet_v2_1.0_224', revision, bytes: 14.3e6, files: huggingFace,
    licence: 'Apache-2.0 at its source, TensorFlow\'s models (the card says "other")', architecture: 'MobileNetV2ForImageClassification',
    preprocessing: `shorter side 256 bilinear, centre 224×224, ${half}`, usedBy: ['003'],
  },
  {
    name: 'vit-small', repository: 'WinKawaks/vit-small-patch16-224', revision, bytes: 88.3e6, files: huggingFace,
    licence: 'Apache-2.0', architecture: 'ViTForImageClassification',
    preprocessing: `224×224 bilinear, ${half}`, usedBy: ['000'],
  },
  {
    name: 'vit-small-timm', repository: 'timm/vit_small_patch16_224.augreg_in21k_ft_in1k', revision, bytes: 88.2e6, files: timm,
    licence: 'Apache-2.0', architecture: 'vit_small_patch16_224',
    preprocessing: `shorter side 248 bicubic, centre 224×224, ${half}`, usedBy: ['000'],
  },
  {
    name: 'vit-base', repository: 'google/vit-base-patch16-224', revision, bytes: 346e6, files: huggingFace,
    licence: 'Apache-2.0', architecture: 'ViTForImageClassification',
    preprocessing: `224×224 bilinear, ${half}`, usedBy: ['001'],
  },
  {
    name: 'vit-large-timm', repository: 'timm/vit_large_patch16_224.augreg_in21k_ft_in1k', revision, bytes: 1.22e9, files: timm,
    licence: 'Apache-2.0', architecture: 'vit_large_patch16_224',
    preprocessing: `shorter side 248 bicubic, centre 224×224, ${half}`, usedBy: ['004'],
  },
  {
    name: 'deit3-large', repository: 'timm/deit3_large_patch16_224.fb_in22k_ft_in1k', revision, bytes: 1.22e9, files: timm,
    licence: 'Apache-2.0', architecture: 'deit3_large_patch16_224',
    preprocessing: `224×224 bicubic, ${imageNet}`, usedBy: ['004'],
  },
  {
    name: 'resnet50', repository: 'timm/resnet50.tv_in1k', revision, bytes: 102e6, files: timm,
    licence: 'BSD-3-Clause', architecture: 'resnet50',
    preprocessing: `shorter side 256 bilinear, centre 224×224, ${imageNet}`, usedBy: ['002'],
  },
  {
    name: 'resnet101', repository: 'timm/resnet101.tv_in1k', revision, bytes: 179e6, files: timm,
    licence: 'BSD-3-Clause', architecture: 'resnet101',
    preprocessing: `shorter side 256 bilinear, centre 224×224, ${imageNet}`, usedBy: ['002'],
  },
  {
    name: 'inception-resnet-v2', repository: 'timm/inception_resnet_v2.tf_in1k', revision, bytes: 224e6, files: timm,
    licence: 'Apache-2.0', architecture: 'inception_resnet_v2',
    preprocessing: `shorter side 333 bicubic, centre 299×299, ${half}`, usedBy: ['001'],
  },
];
