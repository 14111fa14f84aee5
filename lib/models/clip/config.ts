import type { PreNormEncoderConfig } from '../pre-norm-encoder';

/** The keys of config.json's text_config that the network depends on. */
export interface CLIPTextConfig extends PreNormEncoderConfig {
  vocabSize: number;
  maxPositionEmbeddings: number;
  /** The text's features are those of the first such token; 2, which OpenAI's files say, means the token of the largest id. */
  eosTokenId: number;
}

/** The keys of vision_config. */
export interface CLIPVisionConfig extends PreNormEncoderConfig {
  imageSize: number;
  patchSize: number;
  numChannels: number;
}

export interface CLIPConfig {
  textConfig: CLIPTextConfig;
  visionConfig: CLIPVisionConfig;
  /** Width of the space that pictures and texts share. */
  projectionDim: number;
  /** Start of the logarithm of the logits' factor: ln(1 / 0.07). */
  logitScaleInitValue: number;
}

/** What may be left out of a config is as in ViT-B/32. */
export interface CLIPOptions extends Partial<Omit<CLIPConfig, 'textConfig' | 'visionConfig'>> {
  textConfig?: Partial<CLIPTextConfig>;
  visionConfig?: Partial<CLIPVisionConfig>;
}

const shared = { numHiddenLayers: 12, hiddenAct: 'quick_gelu', layerNormEps: 1e-5, attentionDropout: 0 } as const;

/** openai/clip-vit-base-patch32, with the end token's own id. */
export const clipDefaults: CLIPConfig = {
  textConfig: {
    ...shared, hiddenSize: 512, intermediateSize: 2048, numAttentionHeads: 8, vocabSize: 49408, maxPositionEmbeddings: 77,
    eosTokenId: 49407,
  },
  visionConfig: {
    ...shared, hiddenSize: 768, intermediateSize: 3072, numAttentionHeads: 12, imageSize: 224, patchSize: 32, numChannels: 3,
  },
  projectionDim: 512,
  logitScaleInitValue: 2.6592,
};

/** OpenAI's Vision Transformers, as `CLIPModel` takes them; L/14 also exists at 336 pixels (`visionConfig.imageSize`). */
export const clipSizes = {
  'vit-base-patch32': {},
  'vit-base-patch16': { visionConfig: { patchSize: 16 } },
  'vit-large-patch14': {
    textConfig: { hiddenSize: 768, intermediateSize: 3072, numAttentionHeads: 12 },
    visionConfig: { hiddenSize: 1024, intermediateSize: 4096, numHiddenLayers: 24, numAttentionHeads: 16, patchSize: 14 },
    projectionDim: 768,
  },
} as const satisfies Record<string, CLIPOptions>;
