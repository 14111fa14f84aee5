/** CLIP's image tower (transformers' CLIPVisionModel): a Vision Transformer that normalises once more, before the first layer. */
import { Random, tf, type Tensor } from '../../engine';
import { Conv2d, Embedding, LayerNorm, Module, normal, Parameter } from '../../nn';
import { channelsLast } from '../pixel-values';
import { PreNormEncoder, ProjectedAttention } from '../pre-norm-encoder';
import type { ViTInputs } from '../vit';
import { clipDefaults, type CLIPVisionConfig } from './config';
import { drawNormal, initializeEncoder } from './initialize';
import type { CLIPTowerOutputs } from './text-model';

class Embeddings extends Module {
  readonly class_embedding: Parameter;
  readonly patch_embedding: Conv2d;
  readonly position_embedding: Embedding;

  constructor(private readonly config: CLIPVisionConfig, random: Random) {
    super();
    const { hiddenSize, numChannels, imageSize, patchSize } = config;
    this.class_embedding = new Parameter(normal([hiddenSize], hiddenSize ** -0.5, random));
    this.patch_embedding = new Conv2d(numChannels, hiddenSize, random, { kernelSize: patchSize, stride: patchSize, padding: 'valid' });
    this.position_embedding = new Embedding(Math.floor(imageSize / patchSize) ** 2 + 1, hiddenSize, random);
    for (const { weight } of [this.patch_embedding, this.position_embedding]) drawNormal(weight, 0.02, random);
  }

  /** Pixels → (B, 1 + patches, hidden), the class first. */
  forward(pixelValues: Tensor): Tensor {
    const { hiddenSize, numChannels, imageSize } = this.config;
    const map = this.patch_embedding.forward(channelsLast(pixelValues, numChannels, imageSize));
    const [batch] = map.shape;
    const first = tf.tile(tf.reshape(this.class_embedding.tensor, [1, 1, hiddenSize]), [batch, 1, 1]);
    return tf.add(tf.concat([first, tf.reshape(map, [batch, -1, hiddenSize])], 1), this.position_embedding.weight.tensor);
  }
}

export class CLIPVisionModel extends Module {
  readonly config: CLIPVisionConfig;
  readonly embeddings: Embeddings;
  /** Spelt so in every checkpoint. */
  readonly pre_layrnorm: LayerNorm;
  readonly encoder: PreNormEncoder<ProjectedAttention>;
  readonly post_layernorm: LayerNorm;

  constructor(config: Partial<CLIPVisionConfig> = {}, random = new Random(0)) {
    super();
    this.config = { ...clipDefaults.visionConfig, ...config };
    const { hiddenSize, layerNormEps } = this.config;
    this.embeddings = new Embeddings(this.config, random);
    this.pre_layrnorm = new LayerNorm(hiddenSize, layerNormEps);
    this.encoder = new PreNormEncoder(this.config, random, ProjectedAttention);
    initializeEncoder(this.encoder, this.config, random);
    this.post_layernorm = new LayerNorm(hiddenSize, layerNormEps);
  }

  /** `hiddenStates` begin after the first normalisation; `lastHiddenState` (B, 1 + patches, hidden) is not normalised. */
  forward({ pixelValues, ...options }: ViTInputs): CLIPTowerOutputs {
    return tf.tidy(() => {
      const outputs = this.encoder.forward(this.pre_layrnorm.forward(this.embeddings.forward(pixelValues)), options);
      const { lastHiddenState } = outputs;
      const [batch, , width] = lastHiddenState.shape;
      const first = tf.reshape(tf.slice(lastHiddenState, [0, 0, 0], [-1, 1, -1]), [batch, width!]);
      return { ...outputs, poolerOutput: this.post_layernorm.forward(first) } as never;
    });
  }
}
