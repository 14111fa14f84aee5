import { z } from 'zod';
import { activationNames } from '../../nn';
import { architecture } from '../architecture';
import { count, probability } from '../config-json';
import type { LlamaConfig } from '../llama';
import { SmolVLMForConditionalGeneration, smolVLMDefaults as d, type SmolVLMConfig } from '../smolvlm';
import { llamaConfigJson, llamaConfigSchema } from './llama';

const v = d.visionConfig;
const visionConfig = z.object({
  hiddenSize: count.default(v.hiddenSize), intermediateSize: count.default(v.intermediateSize),
  numHiddenLayers: count.default(v.numHiddenLayers),
  numAttentionHeads: count.default(v.numAttentionHeads), numChannels: count.default(v.numChannels), imageSize: count.default(v.imageSize),
  patchSize: count.default(v.patchSize), hiddenAct: z.enum(activationNames).default(v.hiddenAct),
  layerNormEps: z.number().positive().default(v.layerNormEps), attentionDropout: probability.default(v.attentionDropout),
  initializerRange: z.number().nonnegative().default(v.initializerRange),
}).refine(({ hiddenSize, numAttentionHeads }) => hiddenSize % numAttentionHeads === 0,
  { path: ['numAttentionHeads'], message: 'hidden_size does not divide into so many heads' });

/** A text_config is a Llama's; what says otherwise is refused first. */
const llamaOnly = z.looseObject({
  modelType: z.literal('llama', 'only llama is supported').default('llama'),
  useResampler: z.literal(false, 'only false is supported').default(false),
});
const textConfig = z.unknown().superRefine((json, context) => {
  for (const { path, message } of llamaOnly.safeParse(json).error?.issues ?? []) context.addIssue({ code: 'custom', path, message });
}).pipe(llamaConfigSchema as z.ZodType<LlamaConfig>);

/** transformers' SmolVLMConfig and Idefics3Config. */
export const smolVLMConfigSchema = z.object({
  visionConfig, textConfig, imageTokenId: z.number().int().nonnegative().default(d.imageTokenId),
  scaleFactor: count.default(d.scaleFactor), tieWordEmbeddings: z.boolean().default(d.tieWordEmbeddings),
});

const lmHead = { 'lm_head.weight': 'model.text_model.embed_tokens.weight' };

/** The published checkpoints say Idefics3; the network is the same. */
const entry = (name: string, modelType: string) => architecture<SmolVLMForConditionalGeneration, SmolVLMConfig>({
  names: [name], modelType, model: SmolVLMForConditionalGeneration, schema: smolVLMConfigSchema,
  build: (config, random) => new SmolVLMForConditionalGeneration(config, random),
  load: { tied: lmHead },
  config: ({ config: { visionConfig, textConfig, ...rest } }) => ({
    ...rest, visionConfig: { ...visionConfig, modelType: `${modelType}_vision` },
    textConfig: { modelType: 'llama', ...llamaConfigJson(textConfig) },
  }),
});

export const smolVLMArchitectures = [
  entry('SmolVLMForConditionalGeneration', 'smolvlm'), entry('Idefics3ForConditionalGeneration', 'idefics3'),
];
