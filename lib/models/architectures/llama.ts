import { z } from 'zod';
import { activationNames } from '../../nn';
import { architecture } from '../architecture';
import { count, probability } from '../config-json';
import { LlamaForCausalLM, llamaDefaults as d, LlamaModel, type LlamaConfig } from '../llama';

const rope = z.looseObject({ ropeType: z.string(), type: z.string(), ropeTheta: z.number().positive() }).partial().nullish();

/** transformers' LlamaConfig. The base of the rotary angles stands in rope_parameters, in older files in rope_theta. */
export const llamaConfigSchema = z.object({
  vocabSize: count.default(d.vocabSize), hiddenSize: count.default(d.hiddenSize), intermediateSize: count.default(d.intermediateSize),
  numHiddenLayers: count.default(d.numHiddenLayers), numAttentionHeads: count.default(d.numAttentionHeads),
  numKeyValueHeads: count.nullable().default(d.numKeyValueHeads), headDim: count.nullable().default(d.headDim),
  hiddenAct: z.enum(activationNames).default(d.hiddenAct), maxPositionEmbeddings: count.default(d.maxPositionEmbeddings),
  rmsNormEps: z.number().positive().default(d.rmsNormEps),
  ropeTheta: z.number().positive().nullish(), ropeParameters: rope, ropeScaling: rope,
  padTokenId: z.number().int().nullable().default(d.padTokenId), tieWordEmbeddings: z.boolean().default(d.tieWordEmbeddings),
  attentionBias: z.boolean().default(d.attentionBias), attentionDropout: probability.default(d.attentionDropout),
  mlpBias: z.boolean().default(d.mlpBias), initializerRange: z.number().nonnegative().default(d.initializerRange),
  ropeInterleaved: z.literal(false, 'only false is supported').default(false),
  qkLayerNorms: z.literal(false, 'only false is supported').default(false),
}).superRefine(({ hiddenSize, numAttentionHeads, numKeyValueHeads, headDim, ...positions }, context) => {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  for (const key of ['ropeParameters', 'ropeScaling'] as const) {
    const kind = positions[key]?.ropeType ?? positions[key]?.type ?? 'default';
    if (kind !== 'default') refuse([key, 'ropeType'], `rotary positions of type "${kind}" are not supported, only "default"`);
  }
  if (hiddenSize % numAttentionHeads !== 0) refuse(['numAttentionHeads'], 'hidden_size does not divide into so many heads');
  if (numAttentionHeads % (numKeyValueHeads ?? 1) !== 0) refuse(['numKeyValueHeads'], 'num_attention_heads is not a multiple of it');
  if ((headDim ?? hiddenSize / numAttentionHeads) % 2 !== 0) {
    refuse(['headDim'], 'rotary positions turn pairs of values: heads need an even width');
  }
}).transform(({ ropeParameters, ropeScaling: _, ropeInterleaved: __, qkLayerNorms: ___, ropeTheta, ...config }): LlamaConfig =>
  ({ ...config, ropeTheta: ropeParameters?.ropeTheta ?? ropeTheta ?? d.ropeTheta }));

/** As the file has it: what reads only the older or only the newer place of theta finds it. */
export const llamaConfigJson = (config: LlamaConfig): object =>
  ({ ...config, ropeParameters: { ropeType: 'default', ropeTheta: config.ropeTheta } });

/** Old files also hold the rotary frequencies. */
const frequencies = /rotary_emb\.inv_freq$/;

export const llamaArchitectures = [
  architecture<LlamaForCausalLM, LlamaConfig>({
    names: ['LlamaForCausalLM'], modelType: 'llama', model: LlamaForCausalLM, schema: llamaConfigSchema,
    build: (config, random) => new LlamaForCausalLM(config, random),
    load: { prefix: 'model.', ignore: frequencies, tied: { 'lm_head.weight': 'model.embed_tokens.weight' } },
    config: ({ config }) => llamaConfigJson(config),
  }),
  architecture<LlamaModel, LlamaConfig>({
    names: ['LlamaModel'], modelType: 'llama', model: LlamaModel, schema: llamaConfigSchema,
    build: (config, random) => new LlamaModel(config, random),
    load: { prefix: 'model.', ignore: /rotary_emb\.inv_freq$|^lm_head\./ }, config: ({ config }) => llamaConfigJson(config),
  }),
];
