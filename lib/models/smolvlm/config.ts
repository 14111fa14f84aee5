import { llamaDefaults, type LlamaConfig } from '../llama';
import type { PreNormEncoderConfig } from '../pre-norm-encoder';

/** The keys of vision_config that the network depends on. */
export interface SmolVLMVisionConfig extends PreNormEncoderConfig {
  /** Side of the pictures that the position embeddings are made for. */
  imageSize: number;
  patchSize: number;
  numChannels: number;
  /** Standard deviation of the weights at the start. */
  initializerRange: number;
}

export interface SmolVLMConfig {
  visionConfig: SmolVLMVisionConfig;
  textConfig: LlamaConfig;
  /** The word in whose places the pictures' vectors stand. */
  imageTokenId: number;
  /** So many patches in each direction become one vector of the text. */
  scaleFactor: number;
  /** The output layer is the word embedding; textConfig's own value does not count. */
  tieWordEmbeddings: boolean;
}

/** What may be left out is as in `smolVLMDefaults`. */
export interface SmolVLMOptions extends Partial<Omit<SmolVLMConfig, 'visionConfig' | 'textConfig'>> {
  visionConfig?: Partial<SmolVLMVisionConfig>;
  textConfig?: Partial<LlamaConfig>;
}

/** What transformers assumes for keys that a config.json leaves out. */
export const smolVLMDefaults: SmolVLMConfig = {
  visionConfig: {
    hiddenSize: 1152, intermediateSize: 3072, numHiddenLayers: 12, numAttentionHeads: 16, numChannels: 3, imageSize: 224, patchSize: 32,
    hiddenAct: 'gelu_pytorch_tanh', layerNormEps: 1e-6, attentionDropout: 0, initializerRange: 0.02,
  },
  textConfig: llamaDefaults,
  imageTokenId: 128257, scaleFactor: 2, tieWordEmbeddings: false,
};

const base = { hiddenSize: 768, intermediateSize: 3072, numHiddenLayers: 12, numAttentionHeads: 12, imageSize: 512, patchSize: 16 };
const text = { vocabSize: 49280, rmsNormEps: 1e-5, ropeTheta: 100000, maxPositionEmbeddings: 8192, padTokenId: 2, headDim: 64 };
const ids = { imageTokenId: 49190, tieWordEmbeddings: false };

/** The published sizes: SigLIP-B/16 with SmolLM2-135M and -360M, SigLIP-So400m/14 with SmolLM2-1.7B. */
export const smolVLMSizes = {
  '256M': {
    ...ids, scaleFactor: 4, visionConfig: base,
    textConfig: { ...text, hiddenSize: 576, intermediateSize: 1536, numHiddenLayers: 30, numAttentionHeads: 9, numKeyValueHeads: 3 },
  },
  '500M': {
    ...ids, scaleFactor: 4, visionConfig: base,
    textConfig: { ...text, hiddenSize: 960, intermediateSize: 2560, numHiddenLayers: 32, numAttentionHeads: 15, numKeyValueHeads: 5 },
  },
  '2.2B': {
    ...ids, imageTokenId: 49153, scaleFactor: 3,
    visionConfig: { hiddenSize: 1152, intermediateSize: 4304, numHiddenLayers: 27, numAttentionHeads: 16, imageSize: 384, patchSize: 14 },
    textConfig: {
      ...text, vocabSize: 49155, ropeTheta: 273768, maxPositionEmbeddings: 16384,
      hiddenSize: 2048, intermediateSize: 8192, numHiddenLayers: 24, numAttentionHeads: 32, numKeyValueHeads: 32,
    },
  },
} as const satisfies Record<string, SmolVLMOptions>;

export function completeConfig({ visionConfig, textConfig, ...rest }: SmolVLMOptions): SmolVLMConfig {
  const { visionConfig: vision, textConfig: text, ...others } = smolVLMDefaults;
  return { ...others, ...rest, visionConfig: { ...vision, ...visionConfig }, textConfig: { ...text, ...textConfig } };
}
