import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../whole-file';
import { batchCounters, loadState, openWeights, saveState } from '../weights';
import { MobileNetV2, mobileNetV2Defaults } from './mobilenet-v2';
import { huggingFaceToTorchvision, torchvisionToHuggingFace } from './mobilenet-v2-names';

/** The keys of Hugging Face's MobileNetV2Config that the network depends on; the rest is the same for every published checkpoint. */
const configSchema = z.object({
  model_type: z.literal('mobilenet_v2'),
  depth_multiplier: z.number().positive().default(1),
  tf_padding: z.boolean().default(true),
  layer_norm_eps: z.number().positive().default(1e-3),
  id2label: z.record(z.string(), z.string()).optional(),
  num_labels: z.number().int().positive().optional(),
});

/** Reads a folder in Hugging Face layout: config.json and weights (safetensors or PyTorch's) with either Hugging Face's or torchvision's names. */
export function loadMobileNetV2(folder: string): MobileNetV2 {
  const file = path.join(folder, 'config.json');
  let json: unknown;
  try { json = JSON.parse(fs.readFileSync(file, 'utf8')); } catch (error) {
    throw new Error(`${file} cannot be read (${(error as Error).message}): expected a MobileNetV2 checkpoint in Hugging Face layout.`);
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) throw new Error(`${file}: ${parsed.error.issues[0].path.join('.')}: ${parsed.error.issues[0].message}.`);
  const config = parsed.data;
  const weights = openWeights(folder);
  const model = new MobileNetV2({
    ...mobileNetV2Defaults,
    widthMultiplier: config.depth_multiplier,
    tfPadding: config.tf_padding,
    batchNormEpsilon: config.layer_norm_eps,
    numClasses: config.num_labels ?? (config.id2label ? Object.keys(config.id2label).length : 1000),
  });
  try {
    const ours = [...weights.tensors.keys()].some((name) => name.startsWith('features.'));
    loadState(model, weights, ours ? {} : { rename: huggingFaceToTorchvision });
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    weights.close();
  }
  return model.eval() as MobileNetV2;
}

/** Saves in Hugging Face layout, as MobileNetV2ForImageClassification; `half` stores the weights (not the statistics) as float16. */
export function saveMobileNetV2(model: MobileNetV2, folder: string, { labels, half = false }: { labels?: readonly string[]; half?: boolean } = {}): void {
  const { widthMultiplier, tfPadding, batchNormEpsilon, numClasses, lastChannel, stages } = model.config;
  if (lastChannel !== mobileNetV2Defaults.lastChannel || String(stages) !== String(mobileNetV2Defaults.stages)) {
    throw new Error('Hugging Face\'s MobileNetV2Config has no place for other stages than the published ones.');
  }
  if (labels && labels.length !== numClasses) throw new Error(`${labels.length} labels for ${numClasses} classes.`);
  fs.mkdirSync(folder, { recursive: true });
  const config = {
    architectures: ['MobileNetV2ForImageClassification'], model_type: 'mobilenet_v2', depth_multiplier: widthMultiplier, depth_divisible_by: 8, min_depth: 8,
    expand_ratio: 6, finegrained_output: true, first_layer_is_expansion: true, hidden_act: 'relu6', num_channels: 3, output_stride: 32,
    tf_padding: tfPadding, layer_norm_eps: batchNormEpsilon,
    id2label: Object.fromEntries((labels ?? Array.from({ length: numClasses }, (_, i) => `LABEL_${i}`)).map((label, i) => [i, label])),
  };
  saveState(model, path.join(folder, 'model.safetensors'), {
    rename: torchvisionToHuggingFace, half: (name) => half && !/running_/.test(name), extra: batchCounters(model, torchvisionToHuggingFace),
  });
  writeWhole(path.join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}
