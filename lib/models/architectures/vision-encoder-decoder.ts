import { z } from 'zod';
import { architecture } from '../architecture';
import { gpt2LoadOptions } from '../gpt2';
import { VisionEncoderDecoderModel, type VisionEncoderDecoderConfig } from '../vision-encoder-decoder';
import { gpt2ConfigSchema } from './gpt2';
import { vitConfigSchema } from './vit';

const id = z.number().int().nonnegative().nullable().default(null);
/** The halves say by `model_type` what they are; DeiT's published checkpoints without a distillation token call themselves vit, too. */
const half = (type: string, what: string) => z.object({ modelType: z.literal(type, `only ${type} is supported as ${what}`) });

/** transformers' VisionEncoderDecoderConfig. */
export const visionEncoderDecoderConfigSchema = z.object({
  encoder: half('vit', 'encoder').and(vitConfigSchema).transform(({ modelType: _, ...config }) => config),
  decoder: half('gpt2', 'decoder').and(gpt2ConfigSchema).transform(({ modelType: _, ...config }) => config),
  decoderStartTokenId: id, padTokenId: id,
});

export const visionEncoderDecoderArchitectures = [
  architecture<VisionEncoderDecoderModel, VisionEncoderDecoderConfig>({
    names: ['VisionEncoderDecoderModel'], modelType: 'vision-encoder-decoder', model: VisionEncoderDecoderModel,
    schema: visionEncoderDecoderConfigSchema,
    build: (config, random, stored) => new VisionEncoderDecoderModel(config, random, { pooler: stored.has('encoder.pooler.dense.weight') }),
    load: { ignore: gpt2LoadOptions.ignore, tied: { 'decoder.lm_head.weight': 'decoder.transformer.wte.weight' } },
    config: ({ config: { encoder, decoder, decoderStartTokenId, padTokenId } }) => ({
      encoder: { modelType: 'vit', ...encoder }, decoder: { modelType: 'gpt2', isDecoder: true, ...decoder, addCrossAttention: true },
      decoderStartTokenId, padTokenId, isEncoderDecoder: true, tieWordEmbeddings: false,
    }),
  }),
];
