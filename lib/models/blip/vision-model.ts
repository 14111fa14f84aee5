/** BLIP's image encoder (transformers' BlipVisionModel): a Vision Transformer. */
import { Random, tf, type Tensor } from '../../engine';
import { Conv2d, LayerNorm, Module, normal, Parameter } from '../../nn';
import { channelsLast } from '../pixel-values';
import { FusedAttention, PreNormEncoder } from '../pre-norm-encoder';
import type { ViTInputs, ViTOutputs } from '../vit';
import { blipDefaults, type BlipVisionConfig } from './config';

class Embeddings extends Module {
  readonly class_embedding: Parameter;
  readonly patch_embedding: Conv2d;
  readonly position_embedding: Parameter;

  constructor(private readonly config: BlipVisionConfig, random: Random) {
    super();
    const { hiddenSize, imageSize, patchSize } = config;
    this.class_embedding = new Parameter(normal([1, 1, hiddenSize], 0.02, random));
    this.patch_embedding = new Conv2d(3, hiddenSize, random, { kernelSize: patchSize, stride: patchSize, padding: 'valid', bias: true });
    this.position_embedding = new Parameter(normal([1, Math.floor(imageSize / patchSize) ** 2 + 1, hiddenSize], 0.02, random));
  }

  /** Pixels → (B, 1 + patches, hidden), the class first. */
  forward(pixelValues: Tensor): Tensor {
    const { hiddenSize, imageSize } = this.config;
    const map = this.patch_embedding.forward(channelsLast(pixelValues, 3, imageSize));
    const [batch] = map.shape;
    const first = tf.tile(this.class_embedding.tensor, [batch, 1, 1]);
    return tf.add(tf.concat([first, tf.reshape(map, [batch, -1, hiddenSize])], 1), this.position_embedding.tensor);
  }
}

export class BlipVisionModel extends Module {
  readonly config: BlipVisionConfig;
  readonly embeddings: Embeddings;
  readonly encoder: PreNormEncoder<FusedAttention>;
  readonly post_layernorm: LayerNorm;

  constructor(config: Partial<BlipVisionConfig> = {}, random = new Random(0)) {
    super();
    this.config = { ...blipDefaults.visionConfig, ...config };
    this.embeddings = new Embeddings(this.config, random);
    this.encoder = new PreNormEncoder(this.config, random, FusedAttention);
    this.post_layernorm = new LayerNorm(this.config.hiddenSize, this.config.layerNormEps);
  }

  /** `lastHiddenState` (B, 1 + patches, hidden) is normalised, `hiddenStates` are not; `poolerOutput` is the class's, normalised twice. */
  forward({ pixelValues, ...options }: ViTInputs): ViTOutputs & { poolerOutput: Tensor } {
    return tf.tidy(() => {
      const outputs = this.encoder.forward(this.embeddings.forward(pixelValues), options);
      const lastHiddenState = this.post_layernorm.forward(outputs.lastHiddenState);
      const [batch, , width] = lastHiddenState.shape;
      const first = tf.reshape(tf.slice(lastHiddenState, [0, 0, 0], [-1, 1, -1]), [batch, width!]);
      return { ...outputs, lastHiddenState, poolerOutput: this.post_layernorm.forward(first) } as never;
    });
  }
}
