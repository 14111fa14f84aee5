import { z } from 'zod';
import { architecture } from '../architecture';
import { count } from '../config-json';
import { DeiT3, deit3Defaults as d, deit3Sizes, type DeiT3Config } from '../deit3';

const pattern = /^deit3_(small|medium|base|large|huge)_patch(14|16)_(224|384)$/;
const names = Object.keys(deit3Sizes).flatMap((size) => [224, 384].map((image) => `deit3_${size}_patch${size === 'huge' ? 14 : 16}_${image}`));

/** timm's model_args may change any argument of its VisionTransformer; these are the ones that DeiT-III's checkpoints vary. */
const modelArgs = z.strictObject({
  imgSize: z.union([count, z.tuple([count, count]).refine(([height, width]) => height === width, 'only square pictures are supported').transform(([side]) => side)]),
  patchSize: count, inChans: count, embedDim: count, depth: count, numHeads: count, mlpRatio: z.number().positive(), initValues: z.number().positive(),
  numClasses: count, globalPool: z.literal('token', 'only token is supported'),
}).partial();

/** timm's config.json: what the name implies, then model_args, then num_classes. */
const schema = z.object({ architecture: z.string().regex(pattern), numClasses: count.default(d.numClasses), modelArgs: modelArgs.default({}) })
  .transform(({ architecture: name, numClasses, modelArgs: { globalPool: _, ...changed } }): DeiT3Config => {
    const [, size, , image] = pattern.exec(name)!;
    return { ...d, ...deit3Sizes[size as keyof typeof deit3Sizes], imgSize: Number(image), ...changed, numClasses };
  });

export const deit3Architectures = [
  architecture<DeiT3, DeiT3Config>({
    names, modelType: null, model: DeiT3, schema, build: (config, random) => new DeiT3(config, random),
    config: ({ config: { numClasses, imgSize, ...rest } }) => {
      const modelArgs = { ...rest, imgSize: [imgSize, imgSize], numClasses, globalPool: 'token' };
      return { architecture: 'deit3_base_patch16_224', numClasses, numFeatures: rest.embedDim, globalPool: 'token', modelArgs };
    },
  }),
];
