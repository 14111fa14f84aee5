/**
 * What a checkpoint says about its pictures: transformers' `preprocessor_config.json`, also in the older spellings found on the hub,
 * and timm's `pretrained_cfg` inside `config.json`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { excerpt } from '../excerpt';
import { ImageProcessorConfig, ImageSize, NORMALIZATION } from './pixel-preparation';
import { RESAMPLE_FILTERS, ResampleFilter } from './resize';

/** What a processor class assumes for keys its file leaves out; `square` says what a plain number as size means. */
interface ClassDefaults {
  readonly resample: ResampleFilter;
  readonly square: boolean;
  readonly size: ImageProcessorConfig['size'];
  readonly cropSize?: ImageSize;
  readonly normalization: keyof typeof NORMALIZATION;
}

const side = (pixels: number): ImageSize => ({ height: pixels, width: pixels });

const CLASSES: Record<string, ClassDefaults> = {
  ViT: { resample: 'bilinear', square: true, size: side(224), normalization: 'half' },
  DeiT: { resample: 'bicubic', square: true, size: side(256), cropSize: side(224), normalization: 'half' },
  CLIP: { resample: 'bicubic', square: false, size: { shortestEdge: 224 }, cropSize: side(224), normalization: 'clip' },
  Blip: { resample: 'bicubic', square: true, size: side(384), normalization: 'clip' },
  MobileNetV2: { resample: 'bilinear', square: false, size: { shortestEdge: 256 }, cropSize: side(224), normalization: 'half' },
};

/** Keys that change pixels in ways not done here: a file that sets one is refused rather than half obeyed. */
const UNSUPPORTED = ['do_pad', 'do_flip_channel_order', 'do_image_splitting', 'do_thumbnail', 'do_align_long_axis', 'do_crop_margin'] as const;

/** No network takes larger pictures, and one of such sides in floats fills 200 MB. */
const Pixels = z.number().int().positive().max(4096);
const Sides = z.object({ height: Pixels, width: Pixels }).transform(({ height, width }) => ({ height, width }));
const ShortestEdge = z
  .object({ shortest_edge: Pixels, longest_edge: z.null().optional() })
  .transform(({ shortest_edge }) => ({ shortestEdge: shortest_edge }));
/** Beyond these bounds inputs would not be finite. */
const Channel = z.number().min(-1e6).max(1e6);
const Channels = z.tuple([Channel, Channel, Channel]);
const PreprocessorFile = z.object({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().nullish(),
  size: z.union([Sides, ShortestEdge, Pixels]).nullish(),
  resample: z.number().int().min(0).max(5).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.union([Sides, Pixels]).nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().max(1e6).nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: Channels.nullish(),
  image_std: Channels.refine((std) => std.every((value) => value >= 1e-6), 'must be above 0, 0.000001 at least').nullish(),
});

/**
 * Reads what the checkpoint in `folder` says about its pictures: `preprocessor_config.json`, else `processor_config.json`, else timm's
 * `config.json`.
 *
 * @throws Error naming the file and the key that is wrong, missing or not supported.
 */
export function readPreprocessorConfig(folder: string): Partial<ImageProcessorConfig> {
  const found = findImageProcessorJson(folder);
  if (found) return parsePreprocessorConfig(found.json, found.file);
  const config = join(folder, 'config.json');
  const timm = existsSync(config) ? readJsonObject(config) : {};
  if ('pretrained_cfg' in timm) return parseTimmConfig(timm.pretrained_cfg, config);
  const file = join(folder, 'preprocessor_config.json');
  throw new Error(`${file}: there is no such file, nor a timm config.json; it comes with the checkpoint and says how pictures are prepared.`);
}

/** `preprocessor_config.json`, or the same inside transformers 5's `processor_config.json`; null where the folder has neither. */
export function findImageProcessorJson(folder: string): { json: Record<string, unknown>; file: string } | null {
  const [own, joint] = ['preprocessor_config.json', 'processor_config.json'].map((name) => join(folder, name));
  if (existsSync(own)) return { json: readJsonObject(own), file: own };
  const inside = existsSync(joint) ? readJsonObject(joint).image_processor : undefined;
  return typeof inside === 'object' && inside !== null ? { json: inside as Record<string, unknown>, file: joint } : null;
}

/** Turns the content of `preprocessor_config.json` into a config. `file` is for messages. */
export function parsePreprocessorConfig(json: unknown, file: string): Partial<ImageProcessorConfig> {
  const parsed = PreprocessorFile.safeParse(json);
  if (!parsed.success) throw new Error(`${file}: ${describeIssue(parsed.error)}`);
  const set = parsed.data;
  for (const key of UNSUPPORTED) {
    if ((json as Record<string, unknown>)[key]) throw new Error(`${file}: '${key}' is set, which ImageProcessor does not do.`);
  }
  const type = set.image_processor_type ?? set.feature_extractor_type ?? '';
  const known: ClassDefaults | undefined = CLASSES[type.replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, '')];
  const need = <T>(value: T | null | undefined, key: string, fallback: T | undefined): T => {
    const chosen = value ?? fallback;
    if (chosen !== undefined) return chosen;
    throw new Error(`${file}: '${key}' is missing, and ${type ? excerpt(type) : 'a file without image_processor_type'} does not say what it is by default; add it.`);
  };
  const doResize = set.do_resize ?? true;
  const doCenterCrop = set.do_center_crop ?? known?.cropSize !== undefined;
  const doNormalize = set.do_normalize ?? true;
  const size = typeof set.size === 'number' ? ((known?.square ?? true) ? side(set.size) : { shortestEdge: set.size }) : set.size;
  const cropSize = typeof set.crop_size === 'number' ? side(set.crop_size) : set.crop_size;
  const means = known ? NORMALIZATION[known.normalization] : undefined;
  return {
    doResize,
    ...(doResize && { size: need(size, 'size', known?.size), resample: filterOf(need(set.resample, 'resample', idOf(known?.resample))) }),
    doCenterCrop,
    ...(doCenterCrop && { cropSize: need(cropSize, 'crop_size', known?.cropSize) }),
    doRescale: set.do_rescale ?? true,
    rescaleFactor: set.rescale_factor ?? 1 / 255,
    doNormalize,
    ...(doNormalize && {
      imageMean: need<readonly [number, number, number]>(set.image_mean, 'image_mean', means?.imageMean),
      imageStd: need<readonly [number, number, number]>(set.image_std, 'image_std', means?.imageStd),
    }),
  };
}

const TimmConfig = z.object({
  input_size: z.tuple([z.literal(3), Pixels, Pixels]),
  interpolation: z.enum(['bilinear', 'bicubic', 'nearest', 'lanczos', 'box', 'hamming']),
  crop_pct: z.number().positive().max(1).nullish(),
  crop_mode: z.enum(['center', 'squash', 'border']).nullish(),
  mean: Channels,
  std: Channels.refine((std) => std.every((value) => value >= 1e-6), 'must be above 0, 0.000001 at least'),
});

/** timm's evaluation transform: shorter side to input size ÷ crop_pct, middle cut out with torchvision's rounding. */
function parseTimmConfig(json: unknown, file: string): Partial<ImageProcessorConfig> {
  const parsed = TimmConfig.safeParse(json);
  if (!parsed.success) throw new Error(`${file}: pretrained_cfg: ${describeIssue(parsed.error)}`);
  const { input_size, interpolation, crop_pct, crop_mode, mean, std } = parsed.data;
  const [, height, width] = input_size;
  const enlarged = (pixels: number) => Math.floor(pixels / (crop_pct ?? 0.875));
  if (crop_mode === 'border') throw new Error(`${file}: pretrained_cfg.crop_mode 'border' is not supported.`);
  if (crop_mode !== 'squash' && height !== width) {
    throw new Error(`${file}: pretrained_cfg.input_size ${height}×${width}: only square input is cut from the middle here.`);
  }
  return {
    doResize: true,
    size: crop_mode === 'squash' ? { height: enlarged(height), width: enlarged(width) } : { shortestEdge: enlarged(height) },
    resample: interpolation,
    doCenterCrop: true,
    cropSize: { height, width },
    cropRounding: 'halfToEven',
    doRescale: true,
    rescaleFactor: 1 / 255,
    doNormalize: true,
    imageMean: mean,
    imageStd: std,
  };
}

/** The content of `preprocessor_config.json` for a config, so that transformers prepares pictures the same way. */
export function toPreprocessorFile(config: ImageProcessorConfig, type = 'ViTImageProcessor'): Record<string, unknown> {
  const { size, cropSize } = config;
  return {
    image_processor_type: type,
    do_resize: config.doResize,
    size: 'shortestEdge' in size ? { shortest_edge: size.shortestEdge } : { height: size.height, width: size.width },
    resample: idOf(config.resample),
    do_center_crop: config.doCenterCrop,
    ...(cropSize && { crop_size: { height: cropSize.height, width: cropSize.width } }),
    do_rescale: config.doRescale,
    rescale_factor: config.rescaleFactor,
    do_normalize: config.doNormalize,
    image_mean: [...config.imageMean],
    image_std: [...config.imageStd],
  };
}

export function filterOf(id: number): ResampleFilter {
  return RESAMPLE_FILTERS[id];
}

export function idOf(filter: ResampleFilter | undefined): number | undefined {
  return filter === undefined ? undefined : RESAMPLE_FILTERS.indexOf(filter);
}

export function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return `'${issue.path.join('.')}': ${issue.message}`;
}

export function readJsonObject(file: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: this is not JSON (${error instanceof Error ? error.message : String(error)}).`, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error(`${file}: expected a JSON object.`);
  return json as Record<string, unknown>;
}
