/** CLIP's text tower (transformers' CLIPTextModel): a causal transformer whose state at the end token stands for the text. */
import { Random, tf, type Tensor } from '../../engine';
import { attentionMask, Embedding, LayerNorm, Module } from '../../nn';
import { PreNormEncoder, ProjectedAttention, type PreNormEncoderOutputs } from '../pre-norm-encoder';
import { clipDefaults, type CLIPTextConfig } from './config';
import { drawNormal, initializeEncoder } from './initialize';

export interface CLIPTextInputs {
  /** (B, T) int32 */
  inputIds: Tensor;
  /** (B, T), 1 for a word and 0 for padding */
  attentionMask?: Tensor;
  /** (B or 1, T) int32; 0 … T − 1 unless given */
  positionIds?: Tensor;
  outputHiddenStates?: boolean;
  outputAttentions?: boolean;
}

/** A tower's outputs; all tensors are the caller's to dispose. `lastHiddenState` of texts is normalised, that of pictures is not. */
export interface CLIPTowerOutputs extends PreNormEncoderOutputs {
  /** (B, hidden): what stands for the whole text or picture, normalised; (B, projectionDim) after the projection. */
  poolerOutput: Tensor;
}

class Embeddings extends Module {
  readonly token_embedding: Embedding;
  readonly position_embedding: Embedding;

  constructor({ vocabSize, hiddenSize, maxPositionEmbeddings }: CLIPTextConfig, random: Random) {
    super();
    this.token_embedding = new Embedding(vocabSize, hiddenSize, random);
    this.position_embedding = new Embedding(maxPositionEmbeddings, hiddenSize, random);
    for (const { weight } of [this.token_embedding, this.position_embedding]) drawNormal(weight, 0.02, random);
  }

  forward({ inputIds, positionIds }: CLIPTextInputs): Tensor {
    const { weight } = this.position_embedding;
    const length = inputIds.shape[1]!;
    const positions = positionIds ? this.position_embedding.forward(positionIds) : tf.slice(weight.tensor, [0, 0], [length, -1]);
    return tf.add(this.token_embedding.forward(inputIds), positions);
  }
}

export class CLIPTextModel extends Module {
  readonly config: CLIPTextConfig;
  readonly embeddings: Embeddings;
  readonly encoder: PreNormEncoder<ProjectedAttention>;
  readonly final_layer_norm: LayerNorm;

  constructor(config: Partial<CLIPTextConfig> = {}, random = new Random(0)) {
    super();
    this.config = { ...clipDefaults.textConfig, ...config };
    this.embeddings = new Embeddings(this.config, random);
    this.encoder = new PreNormEncoder(this.config, random, ProjectedAttention);
    initializeEncoder(this.encoder, this.config, random);
    this.final_layer_norm = new LayerNorm(this.config.hiddenSize, this.config.layerNormEps);
  }

  /** `hiddenStates` are not normalised, `lastHiddenState` is. */
  forward(inputs: CLIPTextInputs): CLIPTowerOutputs {
    const { inputIds, attentionMask: padding } = inputs;
    const [batch, length] = inputIds.shape, { maxPositionEmbeddings } = this.config;
    if (inputIds.rank !== 2) throw new Error(`inputIds have the shape [${inputIds.shape}]: expected [batch, positions].`);
    if (length > maxPositionEmbeddings) {
      throw new Error(`${length} positions, but this CLIP has ${maxPositionEmbeddings}: shorten the text.`);
    }
    if (padding && String(padding.shape) !== String(inputIds.shape)) {
      throw new Error(`attentionMask has the shape [${padding.shape}]: expected [${batch}, ${length}], as inputIds.`);
    }
    return tf.tidy(() => {
      const mask = attentionMask({ causal: { queries: length, keys: length }, padding });
      const outputs = this.encoder.forward(this.embeddings.forward(inputs), { ...inputs, mask });
      const lastHiddenState = this.final_layer_norm.forward(outputs.lastHiddenState);
      return { ...outputs, lastHiddenState, poolerOutput: this.stateAtEnd(lastHiddenState, inputIds) } as never;
    });
  }

  /** The states (B, T, hidden) at the end token, (B, hidden); a text without one gives its first. */
  private stateAtEnd(states: Tensor, inputIds: Tensor): Tensor {
    const { eosTokenId } = this.config;
    const [batch, length, width] = states.shape;
    // OpenAI's end token is the last of the vocabulary; its config.json says 2.
    const at = tf.argMax(eosTokenId === 2 ? inputIds : tf.cast(tf.equal(inputIds, eosTokenId), 'int32'), 1);
    const picked = tf.expandDims(tf.oneHot(at as never, length, 1, 0, 'float32'), 1);
    return tf.reshape(tf.matMul(picked as never, states as never) as Tensor, [batch, width!]);
  }
}
