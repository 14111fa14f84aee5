/**
 * SmolVLM's picture tower (transformers' SmolVLMVisionTransformer): SigLIP (Zhai et al. 2023, https://arxiv.org/abs/2303.15343) for
 * pictures of any size.
 */
import { Random, tf, type Tensor, type Tensor4D } from '../../engine';
import { attentionMask, Conv2d, Embedding, LayerNorm, Module, normal } from '../../nn';
import { anySizeChannelsLast } from '../pixel-values';
import { PreNormEncoder, ProjectedAttention, type PreNormEncoderOutputs } from '../pre-norm-encoder';
import { smolVLMDefaults, type SmolVLMVisionConfig } from './config';
import { patchPositions } from './patch-positions';

export interface SmolVLMVisionInputs {
  /** (pictures, C, H, W) or (pictures, H, W, C) */
  pixelValues: Tensor;
  /** (pictures, H / patch, W / patch), 0 for padding; all valid unless given */
  patchAttentionMask?: Tensor | null;
  outputHiddenStates?: boolean;
  outputAttentions?: boolean;
}

class Embeddings extends Module {
  readonly patch_embedding: Conv2d;
  readonly position_embedding: Embedding;

  constructor(private readonly config: SmolVLMVisionConfig, random: Random) {
    super();
    const { hiddenSize, numChannels, imageSize, patchSize } = config;
    const options = { kernelSize: patchSize, stride: patchSize, padding: 'valid', bias: true } as const;
    this.patch_embedding = new Conv2d(numChannels, hiddenSize, random, options);
    this.position_embedding = new Embedding(Math.floor(imageSize / patchSize) ** 2, hiddenSize, random);
  }

  /** pixels (pictures, H, W, C), valid patches or null for all → (pictures, patches, hidden) */
  forward(pixels: Tensor4D, valid: ArrayLike<number> | null): Tensor {
    const { imageSize, patchSize, hiddenSize } = this.config;
    const map = this.patch_embedding.forward(pixels);
    const [pictures, rows, columns] = map.shape;
    // Without padding all pictures have the same positions.
    const kinds = valid ? pictures : 1;
    const cells = patchPositions(valid, kinds, rows, columns, Math.floor(imageSize / patchSize));
    const positions = this.position_embedding.forward(tf.tensor2d(cells, [kinds, rows * columns], 'int32'));
    return tf.add(tf.reshape(map, [pictures, rows * columns, hiddenSize]), positions);
  }
}

export class SmolVLMVisionTransformer extends Module {
  readonly config: SmolVLMVisionConfig;
  readonly embeddings: Embeddings;
  readonly encoder: PreNormEncoder<ProjectedAttention>;
  readonly post_layernorm: LayerNorm;

  constructor(config: Partial<SmolVLMVisionConfig> = {}, random = new Random(0)) {
    super();
    this.config = { ...smolVLMDefaults.visionConfig, ...config };
    this.embeddings = new Embeddings(this.config, random);
    this.encoder = new PreNormEncoder(this.config, random, ProjectedAttention);
    for (const [, parameter] of this.namedParameters()) {
      if (parameter.shape.length > 1) parameter.assign(normal(parameter.shape, this.config.initializerRange, random));
      else parameter.assign(tf.zeros(parameter.shape));
    }
    for (const { layer_norm1, layer_norm2 } of this.encoder.layers) {
      for (const { weight } of [layer_norm1, layer_norm2]) weight.assign(tf.ones(weight.shape));
    }
    this.post_layernorm = new LayerNorm(this.config.hiddenSize, this.config.layerNormEps);
  }

  /** `hiddenStates` are the embeddings and each layer's output, not normalised; `lastHiddenState` (pictures, patches, hidden) is. */
  forward({ pixelValues, patchAttentionMask, ...options }: SmolVLMVisionInputs): PreNormEncoderOutputs {
    const { numChannels, patchSize } = this.config;
    return tf.tidy(() => {
      const pixels = anySizeChannelsLast(pixelValues, numChannels).pixels;
      const [pictures, rows, columns] = [pixels.shape[0], ...pixels.shape.slice(1, 3).map((side) => Math.floor(side / patchSize))];
      const expected = [pictures, rows, columns];
      if (patchAttentionMask && String(patchAttentionMask.shape) !== String(expected)) {
        throw new Error(`patchAttentionMask has the shape [${patchAttentionMask.shape}]: expected [${expected.join(', ')}], `
          + `one value a patch of ${patchSize}×${patchSize} pixels.`);
      }
      const valid = patchAttentionMask?.dataSync() as ArrayLike<number> | undefined;
      const padded = valid && Array.prototype.includes.call(valid, 0) ? valid : null;
      const mask = padded ? attentionMask({ padding: tf.reshape(patchAttentionMask!, [pictures, rows * columns]) }) : null;
      const outputs = this.encoder.forward(this.embeddings.forward(pixels, padded), { mask, ...options });
      const lastHiddenState = this.post_layernorm.forward(outputs.lastHiddenState);
      return { ...outputs, lastHiddenState } as never;
    });
  }
}
