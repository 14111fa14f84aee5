/** `preprocessor_config.json` of SmolVLM's and Idefics3's checkpoints. */
import { join } from 'node:path';
import { z } from 'zod';
import { describeIssue, filterOf, findImageProcessorJson, idOf } from './preprocessor-config';
import type { SmolVLMImageConfig } from './smolvlm-image-processor';

const Pixels = z.number().int().positive().max(4096);
const LongestEdge = z.strictObject({ longest_edge: Pixels }).transform(({ longest_edge }) => ({ longestEdge: longest_edge }));
/** Beyond these bounds inputs would not be finite. */
const Channel = z.number().min(-1e6).max(1e6);
const Channels = z.tuple([Channel, Channel, Channel]);
const Type = z.string().regex(/^(SmolVLM|Idefics3)ImageProcessor(Fast|Pil)?$/, 'expected SmolVLMImageProcessor or Idefics3ImageProcessor');
const SmolVLMFile = z.object({
  image_processor_type: Type.optional(),
  do_resize: z.boolean().nullish(),
  size: LongestEdge.nullish(),
  resample: z.number().int().min(0).max(5).nullish(),
  do_image_splitting: z.boolean().nullish(),
  max_image_size: LongestEdge.nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().max(1e6).nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: Channels.nullish(),
  image_std: Channels.refine((std) => std.every((value) => value >= 1e-6), 'must be above 0, 0.000001 at least').nullish(),
  do_pad: z.literal(true, 'only true is supported: tiles of several texts make one batch').nullish(),
  do_center_crop: z.literal(false, 'only false is supported').nullish(),
});

/** @throws Error naming the file and the key that is wrong or not supported. */
export function readSmolVLMPreprocessorConfig(folder: string): Partial<SmolVLMImageConfig> {
  const found = findImageProcessorJson(folder);
  if (!found) {
    const missing = join(folder, 'preprocessor_config.json');
    throw new Error(`${missing}: there is no such file; it comes with the checkpoint and says how pictures are prepared.`);
  }
  const { json, file } = found;
  const parsed = SmolVLMFile.safeParse(json);
  if (!parsed.success) throw new Error(`${file}: ${describeIssue(parsed.error)}`);
  const set = parsed.data;
  const config = {
    doResize: set.do_resize, size: set.size, resample: set.resample == null ? undefined : filterOf(set.resample),
    doImageSplitting: set.do_image_splitting, maxImageSize: set.max_image_size,
    doRescale: set.do_rescale, rescaleFactor: set.rescale_factor, doNormalize: set.do_normalize,
    imageMean: set.image_mean, imageStd: set.image_std,
  };
  // What the file leaves out, or has as null, is as the class has it.
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value != null)) as Partial<SmolVLMImageConfig>;
}

/** The content of the file for a config, so that transformers prepares pictures the same way. */
export function toSmolVLMPreprocessorFile(config: SmolVLMImageConfig, type = 'SmolVLMImageProcessor'): Record<string, unknown> {
  return {
    image_processor_type: type,
    do_convert_rgb: true,
    do_resize: config.doResize,
    size: { longest_edge: config.size.longestEdge },
    resample: idOf(config.resample),
    do_image_splitting: config.doImageSplitting,
    max_image_size: { longest_edge: config.maxImageSize.longestEdge },
    do_rescale: config.doRescale,
    rescale_factor: config.rescaleFactor,
    do_normalize: config.doNormalize,
    image_mean: [...config.imageMean],
    image_std: [...config.imageStd],
    do_pad: true,
  };
}
