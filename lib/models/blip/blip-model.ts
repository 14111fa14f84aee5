/**
 * BLIP that captions (Li et al. 2022, https://arxiv.org/abs/2201.12086) with the parameter names of transformers'
 * BlipForConditionalGeneration (transformers/models/blip): a Vision Transformer and a text decoder that looks at all of its states.
 */
import { Random, tf, valueAndGradients, type Scalar, type Tensor } from '../../engine';
import { generateOnce, resolveGeneration, streamOnce, type GenerationConfig, type GenerationResult, type PreparedGeneration,
  type TokenStream } from '../../generation';
import { Module } from '../../nn';
import type { ViTInputs } from '../vit';
import { BlipStepDecoder, blipPrompt, type BlipGenerationInputs } from './blip-decoder';
import type { BlipConfig, BlipOptions } from './config';
import { BlipTextLMHeadModel, type BlipTextInputs } from './text-decoder';
import { BlipVisionModel } from './vision-model';

export interface BlipInputs extends ViTInputs, Pick<BlipTextInputs, 'inputIds' | 'attentionMask' | 'positionIds'> {
  /** (B, T) int32, −100 where not counted: position t is scored on label t + 1. Usually inputIds themselves. */
  labels?: Tensor;
  logitsToKeep?: number;
}

/** T words, S = 1 + patches. As in the reference, hiddenStates and attentions are the picture's. All tensors are the caller's. */
export interface BlipOutputs {
  /** (B, T, vocabulary); only the last `logitsToKeep` positions where that is given */
  logits: Tensor;
  /** Where labels were given: mean cross entropy of each next word, labels smoothed by the config's labelSmoothing */
  loss?: Tensor;
  /** (B, S, hidden): what the decoder looks at */
  imageEmbeds: Tensor;
  /** The same */
  lastHiddenState: Tensor;
  /** The picture's embeddings and each layer's output, (B, S, hidden), not normalised */
  hiddenStates?: Tensor[];
  /** Each layer's weights, (B, heads, S, S) */
  attentions?: Tensor[];
  /** The text's embeddings and each layer's output, (B, T, hidden) */
  decoderHiddenStates?: Tensor[];
  /** (B, heads, T, T) */
  decoderAttentions?: Tensor[];
  /** (B, heads, T, S) */
  crossAttentions?: Tensor[];
}

/** All tensors are the caller's to dispose. */
export interface CrossAttentionGradients {
  score: Scalar;
  /** Each layer's, (B, heads, T, S) */
  crossAttentions: Tensor[];
  /** Of the score for each of them */
  gradients: Tensor[];
}

export class BlipForConditionalGeneration extends Module {
  readonly vision_model: BlipVisionModel;
  readonly text_decoder: BlipTextLMHeadModel;
  /** generation_config.json: what `generate` does unless told otherwise; its special ids give way to text_config's, as in transformers */
  generationConfig: GenerationConfig = {};

  constructor({ visionConfig, textConfig }: BlipOptions = {}, random = new Random(0)) {
    super();
    this.vision_model = new BlipVisionModel(visionConfig, random);
    this.text_decoder = new BlipTextLMHeadModel({ ...textConfig, encoderHiddenSize: this.vision_model.config.hiddenSize }, random);
  }

  get config(): BlipConfig { return { visionConfig: this.vision_model.config, textConfig: this.text_decoder.config }; }

  forward({ pixelValues, outputHiddenStates, outputAttentions, ...text }: BlipInputs): BlipOutputs {
    this.checkText(pixelValues, text.inputIds);
    return tf.tidy(() => {
      const picture = this.vision_model.forward({ pixelValues, outputHiddenStates, outputAttentions });
      const { lastHiddenState: imageEmbeds, hiddenStates, attentions } = picture;
      const decoded = this.text_decoder.forward({ ...text, encoderHiddenStates: imageEmbeds, outputHiddenStates, outputAttentions });
      const { logits, loss, hiddenStates: decoderHiddenStates, attentions: decoderAttentions, crossAttentions } = decoded;
      return {
        logits, imageEmbeds, lastHiddenState: tf.clone(imageEmbeds), ...(loss ? { loss } : {}),
        ...(outputHiddenStates ? { hiddenStates, decoderHiddenStates } : {}),
        ...(outputAttentions ? { attentions, decoderAttentions, crossAttentions } : {}),
      } as never;
    });
  }

  /**
   * Captions pictures as transformers does: the prompt's first id becomes the start token, its last is dropped, the config's sepTokenId
   * ends a text. With `outputAttentions` each token of a hypothesis has the cross attentions that it was chosen by, [layers, heads, S].
   */
  generate(inputs: BlipGenerationInputs, options: GenerationConfig = {}): GenerationResult {
    return generateOnce(this.prepareGeneration(inputs, options));
  }

  /** The tokens of `generate` as they come (greedy or drawn), a row each; see `streamTokens`. */
  stream(inputs: BlipGenerationInputs, options: GenerationConfig = {}, signal?: AbortSignal): TokenStream {
    return streamOnce(() => this.prepareGeneration(inputs, options), signal);
  }

  private prepareGeneration(inputs: BlipGenerationInputs, given: GenerationConfig): PreparedGeneration {
    const { sepTokenId: eosTokenId, padTokenId } = this.config.textConfig;
    const { ids, options } = resolveGeneration({ ...this.generationConfig, eosTokenId, padTokenId }, given);
    const prompt = blipPrompt(inputs, this.config.textConfig);
    return { decoder: new BlipStepDecoder(this, inputs, prompt), prompt: { ...prompt, ...ids }, options };
  }

  /**
   * For Grad-CAM: the cross attentions of texts with their pictures, and the gradient for each of a score that `ofLogits` takes from the
   * logits (B, T, vocabulary), the later layers' answer to an earlier one included. Texts may be several for each picture, one after another.
   */
  crossAttentionGradients(
    inputs: Omit<BlipInputs, 'labels' | 'logitsToKeep'>, ofLogits: (logits: Tensor) => Scalar,
  ): CrossAttentionGradients {
    const { pixelValues, ...text } = inputs;
    this.checkText(pixelValues, text.inputIds, Math.max(1, Math.floor(text.inputIds.shape[0] / pixelValues.shape[0])));
    const { numHiddenLayers, numAttentionHeads } = this.config.textConfig;
    let crossAttentions: Tensor[] = [];
    const encoderHiddenStates = tf.tidy(() => this.vision_model.forward({ pixelValues }).lastHiddenState);
    const shape = [text.inputIds.shape[0], numAttentionHeads, text.inputIds.shape[1]!, encoderHiddenStates.shape[1]!];
    const probe = tf.zeros(shape), crossAttentionProbes = Array.from({ length: numHiddenLayers }, () => tf.clone(probe));
    try {
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => {
        const outputs = this.text_decoder.forward({ ...text, encoderHiddenStates, crossAttentionProbes, outputAttentions: true });
        crossAttentions = outputs.crossAttentions!.map((weights) => tf.keep(weights));
        return ofLogits(outputs.logits);
      }), crossAttentionProbes);
      return { score: value, crossAttentions, gradients: gradients.map((gradient) => gradient ?? tf.zeros(shape)) };
    } catch (error) {
      tf.dispose(crossAttentions);
      throw error;
    } finally {
      tf.dispose([encoderHiddenStates, probe, ...crossAttentionProbes]);
    }
  }

  /** @param each texts to a picture */
  private checkText(pixelValues: Tensor, inputIds: Tensor, each = 1): void {
    const texts = pixelValues.shape[0] * each;
    if (inputIds.rank !== 2 || inputIds.shape[0] !== texts) {
      throw new Error(`inputIds have the shape [${inputIds.shape}]: expected [${texts}, words], ${each === 1 ? 'a text' : `${each} texts`} for each picture.`);
    }
  }
}

/** For `loadState`: files on the hub store the position numbers, and the output layer that is the word embedding once more. */
export const blipLoadOptions = {
  ignore: /embeddings\.position_ids$/,
  tied: {
    'text_decoder.cls.predictions.decoder.weight': 'text_decoder.bert.embeddings.word_embeddings.weight',
    'text_decoder.cls.predictions.decoder.bias': 'text_decoder.cls.predictions.bias',
  },
};
