import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { loadState, SafetensorsFile } from '../weights';
import { huggingFaceToTorchvision, MobileNetV2, mobileNetV2Defaults } from './mobilenet-v2';

/** The keys of Hugging Face's MobileNetV2Config that the network depends on; the rest is the same for every published checkpoint. */
const configSchema = z.object({
  model_type: z.literal('mobilenet_v2'),
  depth_multiplier: z.number().positive().default(1),
  tf_padding: z.boolean().default(true),
  layer_norm_eps: z.number().positive().default(1e-3),
  id2label: z.record(z.string(), z.string()).optional(),
  num_labels: z.number().int().positive().optional(),
});

/** Reads a folder in Hugging Face layout: config.json and model.safetensors with either Hugging Face's or torchvision's names. */
export function loadMobileNetV2(folder: string): MobileNetV2 {
  const file = path.join(folder, 'config.json');
  let json: unknown;
  try { json = JSON.parse(fs.readFileSync(file, 'utf8')); } catch (error) {
    throw new Error(`${file} cannot be read (${(error as Error).message}): expected a MobileNetV2 checkpoint in Hugging Face layout.`);
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) throw new Error(`${file}: ${parsed.error.issues[0].path.join('.')}: ${parsed.error.issues[0].message}.`);
  const config = parsed.data;
  const weights = path.join(folder, 'model.safetensors');
  const source = SafetensorsFile.open(weights);
  const names = [...source.tensors.keys()];
  source.close();
  const model = new MobileNetV2({
    ...mobileNetV2Defaults,
    widthMultiplier: config.depth_multiplier,
    tfPadding: config.tf_padding,
    batchNormEpsilon: config.layer_norm_eps,
    numClasses: config.num_labels ?? (config.id2label ? Object.keys(config.id2label).length : 1000),
  });
  loadState(model, weights, names.some((name) => name.startsWith('features.')) ? {} : { rename: huggingFaceToTorchvision });
  return model.eval() as MobileNetV2;
}
