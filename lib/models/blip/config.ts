import type { BertLayersConfig } from '../bert-layers';
import type { PreNormEncoderConfig } from '../pre-norm-encoder';

/** The keys of config.json's vision_config that the network depends on. */
export interface BlipVisionConfig extends PreNormEncoderConfig {
  imageSize: number;
  patchSize: number;
}

/** The keys of text_config. */
export interface BlipTextConfig extends BertLayersConfig {
  /** Width of the picture's states. */
  encoderHiddenSize: number;
  typeVocabSize?: undefined;
  /** Starts every text. */
  bosTokenId: number;
  /** Ends a text. (The file's eos_token_id ends none: a text without a prompt is made of it, and it is cut off again.) */
  sepTokenId: number;
  /** Share of each target that is spread over the whole vocabulary, in the loss; 0.1 when BLIP was trained. */
  labelSmoothing: number;
}

export interface BlipConfig { visionConfig: BlipVisionConfig; textConfig: BlipTextConfig }

/** What may be left out of a config is as in the published captioner; the text's encoderHiddenSize is the vision's hiddenSize. */
export interface BlipOptions {
  visionConfig?: Partial<BlipVisionConfig>;
  textConfig?: Partial<Omit<BlipTextConfig, 'encoderHiddenSize'>>;
}

/** Salesforce/blip-image-captioning-base. */
export const blipDefaults: BlipConfig = {
  visionConfig: {
    hiddenSize: 768, intermediateSize: 3072, numHiddenLayers: 12, numAttentionHeads: 12, hiddenAct: 'gelu', layerNormEps: 1e-5,
    attentionDropout: 0, imageSize: 384, patchSize: 16,
  },
  textConfig: {
    vocabSize: 30524, hiddenSize: 768, encoderHiddenSize: 768, intermediateSize: 3072, numHiddenLayers: 12, numAttentionHeads: 12,
    hiddenAct: 'gelu', maxPositionEmbeddings: 512, layerNormEps: 1e-12, hiddenDropoutProb: 0, attentionProbsDropoutProb: 0,
    bosTokenId: 30522, padTokenId: 0, sepTokenId: 102, labelSmoothing: 0,
  },
};

/** Salesforce's captioners, as `BlipForConditionalGeneration` takes them. */
export const blipSizes = {
  base: {},
  large: { visionConfig: { hiddenSize: 1024, intermediateSize: 4096, numHiddenLayers: 24, numAttentionHeads: 16 } },
} as const satisfies Record<string, BlipOptions>;
