/** Settings of a captioner of one's own pictures, as `captioning train` reads them from a JSON file. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { repeatedKey } from '../weights/strict-json';
import { deitTransformer } from './deit-transformer';
import { mobileNetGru } from './mobilenet-gru';
import { showAttendTell } from './show-attend-tell';

/** Decoders by name: sizes and training of the small profile, which suit some hundreds or thousands of pictures. */
export const ownModels = {
  'attention-gru': { decoder: mobileNetGru.small.decoder, training: mobileNetGru.small.training },
  'attention-lstm': { decoder: showAttendTell.small.decoder, training: { ...showAttendTell.small.training, topAccuracy: undefined } },
  transformer: {
    decoder: deitTransformer.small.decoder, training: { ...deitTransformer.small.training, captionsPerEpoch: 'all' as const },
  },
};

export type OwnModel = keyof typeof ownModels;

const size = z.number().int().positive().max(100_000);
const share = z.number().min(0).max(0.9);

const Config = z.strictObject({
  /** Folder of the pictures. Paths are relative to the settings' file. */
  images: z.string().min(1),
  /** CSV with a header, such as `image,caption`; a picture may have several rows. */
  captions: z.string().min(1),
  /** Folder that the captioner is saved in; what is needed to go on with the training lies beside it, in `<output>-training`. */
  output: z.string().min(1),
  model: z.enum(Object.keys(ownModels) as [OwnModel, ...OwnModel[]]).default('attention-gru'),
  /** A frozen image encoder: name or folder; a folder beside the settings' file comes first. */
  encoder: z.string().min(1).default('mobilenet_v2'),
  /** Other sizes than the model's own. */
  decoder: z.record(z.string(), z.unknown()).default({}),
  epochs: size.default(10),
  batchSize: size.default(32),
  learningRate: z.number().positive().max(1).optional(),
  /** Words kept of a longer caption. */
  maxWords: size.default(20),
  /** Words seen less often in the training captions become <unk>. */
  minCount: size.default(2),
  seed: z.number().int().nonnegative().default(42),
  /** Parts of the pictures that choose the best epoch, and that the finished captioner is scored on. */
  validationShare: share.default(0.1),
  testShare: share.default(0.1),
  /** Stops after so many epochs without a better CIDEr on the validation pictures. */
  patience: size.optional(),
  precision: z.enum(['float32', 'bfloat16']).optional(),
}).refine(({ validationShare }) => validationShare > 0,
  { path: ['validationShare'], message: 'expected more than 0: it chooses the best epoch' })
  .refine(({ validationShare, testShare }) => validationShare + testShare < 1,
    { path: ['testShare'], message: 'nothing is left to train on' })
  .superRefine(({ model, decoder }, context) => {
    for (const [key, value] of Object.entries(decoder)) {
      const message = decoderProblem(model, key, value);
      if (message) context.addIssue({ code: 'custom', path: ['decoder', key], message });
    }
    const known = ownModels.transformer.decoder, { hiddenSize = known.hiddenSize, numHeads = known.numHeads } = decoder;
    if (model === 'transformer' && Number(hiddenSize) % Number(numHeads) > 0) {
      const message = `${hiddenSize} does not divide into ${numHeads} heads: choose a multiple of numHeads`;
      context.addIssue({ code: 'custom', path: ['decoder', 'hiddenSize'], message });
    }
  });

/** What is wrong with a size of a decoder. */
function decoderProblem(model: OwnModel, key: string, value: unknown): string | undefined {
  const known: Record<string, unknown> = ownModels[model].decoder, example = known[key];
  if (!(key in known)) return `${model} has no such setting; it has ${Object.keys(known).join(', ')}`;
  if (typeof example !== typeof value) return `expected a ${typeof example} such as ${JSON.stringify(example)}`;
  if (key === 'dropout') return (value as number) >= 0 && (value as number) < 1 ? undefined : 'expected a share from 0 to below 1';
  const isSize = key.endsWith('Size') || key.startsWith('num') || key === 'maxPositions';
  return isSize && !size.safeParse(value).success ? 'expected a whole number, 1 or more' : undefined;
}

/** All settings, paths absolute. */
export type OwnCaptionerConfig = z.output<typeof Config>;

/** @throws Error naming the file and the key that is wrong */
export function readOwnCaptionerConfig(file: string): OwnCaptionerConfig {
  let text: string, json: unknown;
  try { text = fs.readFileSync(file, 'utf8'); } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new Error(`${file}: ${reason}; expected JSON settings (captioning train --help shows them).`);
  }
  try { json = JSON.parse(text); } catch (error) { throw new Error(`${file}: not JSON: ${(error as Error).message}`); }
  const twice = repeatedKey(text);
  if (twice) throw new Error(`${file}: ${twice}: the key is there twice.`);
  const result = Config.safeParse(json);
  if (!result.success) {
    const known = Object.keys(Config.shape).join(', ');
    const lines = result.error.issues.map((issue) => (issue.code === 'unrecognized_keys'
      ? `${issue.keys.join(', ')}: unknown; settings are ${known}` : `${issue.path.join('.') || 'the whole'}: ${issue.message}`));
    throw new Error(lines.map((line) => `${file}: ${line}`).join('\n'));
  }
  const folder = path.dirname(path.resolve(file)), { images, captions, output, encoder } = result.data;
  const beside = path.resolve(folder, encoder);
  const [imagesPath, captionsPath, outputPath] = [images, captions, output].map((each) => path.resolve(folder, each));
  const encoderPath = fs.existsSync(path.join(beside, 'config.json')) ? beside : encoder;
  return { ...result.data, images: imagesPath, captions: captionsPath, output: outputPath, encoder: encoderPath };
}
