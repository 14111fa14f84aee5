import { z } from 'zod';
import { activationNames } from '../../nn';
import { architecture } from '../architecture';
import { count, probability } from '../config-json';
import { GPT2LMHeadModel, gpt2Defaults as d, gpt2LoadOptions, GPT2Model, type GPT2Config } from '../gpt2';

/** transformers' GPT2Config. */
export const gpt2ConfigSchema = z.object({
  vocabSize: count.default(d.vocabSize), nPositions: count.default(d.nPositions), nEmbd: count.default(d.nEmbd), nLayer: count.default(d.nLayer),
  nHead: count.default(d.nHead), nInner: count.nullable().default(d.nInner), activationFunction: z.enum(activationNames).default(d.activationFunction),
  layerNormEpsilon: z.number().positive().default(d.layerNormEpsilon), addCrossAttention: z.boolean().default(d.addCrossAttention),
  scaleAttnWeights: z.boolean().default(d.scaleAttnWeights), scaleAttnByInverseLayerIdx: z.boolean().default(d.scaleAttnByInverseLayerIdx),
  embdPdrop: probability.default(d.embdPdrop), attnPdrop: probability.default(d.attnPdrop), residPdrop: probability.default(d.residPdrop),
  tieWordEmbeddings: z.literal(true, 'only true is supported: the output layer is the word embedding').default(true),
}).refine(({ nEmbd, nHead }) => nEmbd % nHead === 0, { path: ['nHead'], message: 'the width n_embd does not divide into so many heads' });

const common = { modelType: 'gpt2', schema: gpt2ConfigSchema, load: gpt2LoadOptions } as const;

export const gpt2Architectures = [
  architecture<GPT2LMHeadModel, GPT2Config>({
    ...common, names: ['GPT2LMHeadModel'], model: GPT2LMHeadModel, build: (config, random) => new GPT2LMHeadModel(config, random), config: ({ config }) => config,
  }),
  architecture<GPT2Model, GPT2Config>({
    ...common, names: ['GPT2Model'], model: GPT2Model, build: (config, random) => new GPT2Model(config, random), config: ({ config }) => config,
  }),
];
