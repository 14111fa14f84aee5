import { z } from 'zod';
import { activationNames } from '../../nn';
import { architecture } from '../architecture';
import { clipDefaults, clipLoadOptions, CLIPModel, CLIPTextModel, CLIPVisionModel, type CLIPConfig, type CLIPTextConfig,
  type CLIPVisionConfig } from '../clip';
import { count, headsDivide, probability } from '../config-json';

const { textConfig: t, visionConfig: v } = clipDefaults;

const tower = (d: CLIPTextConfig | CLIPVisionConfig) => z.object({
  hiddenSize: count.default(d.hiddenSize), intermediateSize: count.default(d.intermediateSize),
  numHiddenLayers: count.default(d.numHiddenLayers), numAttentionHeads: count.default(d.numAttentionHeads), hiddenAct: z.enum(activationNames).default(d.hiddenAct),
  layerNormEps: z.number().positive().default(d.layerNormEps), attentionDropout: probability.default(d.attentionDropout),
});

/** transformers' CLIPTextConfig. */
const text = tower(t).extend({
  vocabSize: count.default(t.vocabSize), maxPositionEmbeddings: count.default(t.maxPositionEmbeddings),
  eosTokenId: z.number('only a single end token is supported').int().nonnegative().default(t.eosTokenId),
}).refine(...headsDivide);

/** transformers' CLIPVisionConfig. */
const vision = tower(v).extend({
  imageSize: count.default(v.imageSize), patchSize: count.default(v.patchSize), numChannels: count.default(v.numChannels),
}).refine(...headsDivide);

/** transformers' CLIPConfig. Where a file has text_config_dict, that counts and text_config does not; so for vision. */
const clipConfigSchema = z.object({
  textConfig: text.prefault({}), textConfigDict: text.nullish(), visionConfig: vision.prefault({}), visionConfigDict: vision.nullish(),
  projectionDim: count.default(clipDefaults.projectionDim), logitScaleInitValue: z.number().default(clipDefaults.logitScaleInitValue),
}).transform(({ textConfigDict, visionConfigDict, ...config }): CLIPConfig =>
  ({ ...config, textConfig: textConfigDict ?? config.textConfig, visionConfig: visionConfigDict ?? config.visionConfig }));

/** A tower's own checkpoint; its names have the tower's in front, as in the whole model's. */
const textTower = {
  model: CLIPTextModel, build: (config: CLIPTextConfig) => new CLIPTextModel(config), config: ({ config }: CLIPTextModel) => config,
  load: { prefix: 'text_model.', ignore: /embeddings\.position_ids$|^vision_model\.|^(visual|text)_projection\.weight$|^logit_scale$/ },
  save: () => ({ rename: (name: string) => `text_model.${name}` }),
};
const visionTower = {
  model: CLIPVisionModel, build: (config: CLIPVisionConfig) => new CLIPVisionModel(config), config: ({ config }: CLIPVisionModel) => config,
  load: { prefix: 'vision_model.', ignore: /embeddings\.position_ids$|^text_model\.|^(visual|text)_projection\.weight$|^logit_scale$/ },
  save: () => ({ rename: (name: string) => `vision_model.${name}` }),
};

export const clipArchitectures = [
  architecture<CLIPModel, CLIPConfig>({
    names: ['CLIPModel'], modelType: 'clip', model: CLIPModel, schema: clipConfigSchema, load: clipLoadOptions,
    build: (config, random) => new CLIPModel(config, random),
    // What an old file says a second time would win over what is written here.
    config: ({ config: { textConfig, visionConfig, ...config } }) => ({
      ...config, textConfig: { modelType: 'clip_text_model', ...textConfig },
      visionConfig: { modelType: 'clip_vision_model', ...visionConfig },
      textConfigDict: null, visionConfigDict: null,
    }),
  }),
  architecture<CLIPTextModel, CLIPTextConfig>({ ...textTower, names: ['CLIPTextModel'], modelType: 'clip_text_model', schema: text }),
  architecture<CLIPVisionModel, CLIPVisionConfig>({
    ...visionTower, names: ['CLIPVisionModel'], modelType: 'clip_vision_model', schema: vision,
  }),
  // One tower of a whole model's checkpoint, on request.
  architecture<CLIPTextModel, CLIPTextConfig>({
    ...textTower, names: [], modelType: 'clip', schema: clipConfigSchema.transform(({ textConfig }) => textConfig),
  }),
  architecture<CLIPVisionModel, CLIPVisionConfig>({
    ...visionTower, names: [], modelType: 'clip', schema: clipConfigSchema.transform(({ visionConfig }) => visionConfig),
  }),
];
