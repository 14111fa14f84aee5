import { z } from 'zod';
import { activationNames } from '../../nn';
import { architecture } from '../architecture';
import { blipDefaults, BlipForConditionalGeneration, blipLoadOptions, type BlipConfig } from '../blip';
import { count, headsDivide, probability } from '../config-json';

const { textConfig: t, visionConfig: v } = blipDefaults;
const id = (value: number) => z.number().int().nonnegative().default(value);
const tied = z.literal(true, 'only true is supported: the output layer is the word embedding').default(true);

/** transformers' BlipTextConfig. */
const text = z.object({
  vocabSize: count.default(t.vocabSize), hiddenSize: count.default(t.hiddenSize), intermediateSize: count.default(t.intermediateSize),
  // transformers' own default of 8; the published files say 12.
  numHiddenLayers: count.default(t.numHiddenLayers), numAttentionHeads: count.default(8),
  hiddenAct: z.enum(activationNames).default(t.hiddenAct),
  maxPositionEmbeddings: count.default(t.maxPositionEmbeddings), layerNormEps: z.number().positive().default(t.layerNormEps),
  hiddenDropoutProb: probability.default(t.hiddenDropoutProb), attentionProbsDropoutProb: probability.default(t.attentionProbsDropoutProb),
  bosTokenId: id(t.bosTokenId), padTokenId: id(t.padTokenId), sepTokenId: id(t.sepTokenId),
  labelSmoothing: probability.default(t.labelSmoothing),
  isDecoder: z.literal(true, 'only the decoder is supported').default(true), tieWordEmbeddings: tied,
}).refine(...headsDivide);

/** transformers' BlipVisionConfig. */
const vision = z.object({
  hiddenSize: count.default(v.hiddenSize), intermediateSize: count.default(v.intermediateSize),
  numHiddenLayers: count.default(v.numHiddenLayers), numAttentionHeads: count.default(v.numAttentionHeads), hiddenAct: z.enum(activationNames).default(v.hiddenAct),
  layerNormEps: z.number().positive().default(v.layerNormEps), attentionDropout: probability.default(v.attentionDropout),
  imageSize: count.default(v.imageSize), patchSize: count.default(v.patchSize),
  numChannels: z.literal(3, 'only pictures of 3 channels are supported').default(3),
}).refine(...headsDivide);

/** transformers' BlipConfig: the decoder looks at states of the vision's width, whatever its own file says. */
const schema = z.object({ textConfig: text.prefault({}), visionConfig: vision.prefault({}), tieWordEmbeddings: tied })
  .transform(({ textConfig, visionConfig: { numChannels: _, ...visionConfig } }): BlipConfig => {
    const { isDecoder: __, tieWordEmbeddings: ___, ...decoder } = textConfig;
    return { textConfig: { ...decoder, encoderHiddenSize: visionConfig.hiddenSize }, visionConfig };
  });

export const blipArchitectures = [
  architecture<BlipForConditionalGeneration, BlipConfig>({
    names: ['BlipForConditionalGeneration'], modelType: 'blip', model: BlipForConditionalGeneration, schema, load: blipLoadOptions,
    build: (config, random) => new BlipForConditionalGeneration(config, random),
    config: ({ config: { textConfig, visionConfig } }) => ({
      // 0 is left out: transformers wants a 0.0 there, which JSON cannot be told to write.
      textConfig: { modelType: 'blip_text_model', isDecoder: true, ...textConfig, labelSmoothing: textConfig.labelSmoothing || undefined },
      visionConfig: { modelType: 'blip_vision_model', ...visionConfig },
    }),
  }),
];
