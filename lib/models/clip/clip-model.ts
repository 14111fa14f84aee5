/**
 * CLIP (Radford et al. 2021, https://arxiv.org/abs/2103.00020) with the parameter names of transformers' CLIPModel
 * (transformers/models/clip): two towers whose projections of a matching picture and text point the same way.
 */
import { crossEntropy, matMul, Random, tf, type Scalar, type Tensor, type Tensor2D } from '../../engine';
import { Linear, Module, Parameter } from '../../nn';
import type { ViTInputs } from '../vit';
import { clipDefaults, type CLIPConfig, type CLIPOptions } from './config';
import { drawNormal } from './initialize';
import { CLIPTextModel, type CLIPTextInputs, type CLIPTowerOutputs } from './text-model';
import { CLIPVisionModel } from './vision-model';

export interface CLIPInputs extends CLIPTextInputs, ViTInputs {
  /** Adds `loss`: text i belongs to picture i. */
  returnLoss?: boolean;
}

/** All tensors are the caller's to dispose. */
export interface CLIPOutputs {
  /** (pictures, texts): cosines times exp(logit_scale) */
  logitsPerImage: Tensor;
  /** (texts, pictures) */
  logitsPerText: Tensor;
  /** (texts, projectionDim), of length 1 */
  textEmbeds: Tensor;
  /** (pictures, projectionDim), of length 1 */
  imageEmbeds: Tensor;
  /** Mean of the cross entropies of finding each text's picture and each picture's text */
  loss?: Tensor;
  /** As getTextFeatures gives it */
  textModelOutput: CLIPTowerOutputs;
  /** As getImageFeatures gives it */
  visionModelOutput: CLIPTowerOutputs;
}

export class CLIPModel extends Module {
  readonly config: CLIPConfig;
  readonly text_model: CLIPTextModel;
  readonly vision_model: CLIPVisionModel;
  readonly visual_projection: Linear;
  readonly text_projection: Linear;
  readonly logit_scale: Parameter;

  constructor(config: CLIPOptions = {}, random = new Random(0)) {
    super();
    this.text_model = new CLIPTextModel(config.textConfig, random);
    this.vision_model = new CLIPVisionModel(config.visionConfig, random);
    this.config = { ...clipDefaults, ...config, textConfig: this.text_model.config, visionConfig: this.vision_model.config };
    const { textConfig, visionConfig, projectionDim, logitScaleInitValue } = this.config;
    this.visual_projection = new Linear(visionConfig.hiddenSize, projectionDim, random, { bias: false });
    this.text_projection = new Linear(textConfig.hiddenSize, projectionDim, random, { bias: false });
    for (const { weight, inFeatures } of [this.visual_projection, this.text_projection]) drawNormal(weight, inFeatures ** -0.5, random);
    this.logit_scale = new Parameter(tf.scalar(logitScaleInitValue));
  }

  /** The text tower's outputs with `poolerOutput` projected, (B, projectionDim): the text's features, not of length 1. */
  getTextFeatures(inputs: CLIPTextInputs): CLIPTowerOutputs {
    return projected(() => this.text_model.forward(inputs), this.text_projection);
  }

  /** The image tower's outputs with `poolerOutput` projected, (B, projectionDim): the picture's features, not of length 1. */
  getImageFeatures(inputs: ViTInputs): CLIPTowerOutputs {
    return projected(() => this.vision_model.forward(inputs), this.visual_projection);
  }

  /** Any number of texts with any number of pictures; as many of one as of the other for the loss. */
  forward({ inputIds, attentionMask, positionIds, pixelValues, returnLoss, ...options }: CLIPInputs): CLIPOutputs {
    const [texts] = inputIds.shape, [pictures] = pixelValues.shape;
    if (returnLoss && texts !== pictures) {
      throw new Error(`returnLoss with ${texts} texts and ${pictures} pictures: text i belongs to picture i, give as many of each.`);
    }
    return tf.tidy(() => {
      const visionModelOutput = this.getImageFeatures({ pixelValues, ...options });
      const textModelOutput = this.getTextFeatures({ inputIds, attentionMask, positionIds, ...options });
      const [imageEmbeds, textEmbeds] = [visionModelOutput, textModelOutput].map(({ poolerOutput }) => ofLength1(poolerOutput));
      const cosines = matMul(textEmbeds, imageEmbeds, false, true);
      const logitsPerText = tf.mul(cosines, tf.exp(this.logit_scale.tensor)) as Tensor2D;
      const logitsPerImage = tf.transpose(logitsPerText);
      const loss = returnLoss ? { loss: contrastiveLoss(logitsPerText, logitsPerImage) } : {};
      return { logitsPerImage, logitsPerText, textEmbeds, imageEmbeds, ...loss, textModelOutput, visionModelOutput } as never;
    });
  }
}

const projected = (tower: () => CLIPTowerOutputs, projection: Linear): CLIPTowerOutputs => tf.tidy(() => {
  const outputs = tower();
  return { ...outputs, poolerOutput: projection.forward(outputs.poolerOutput) } as never;
});

const ofLength1 = (x: Tensor): Tensor => tf.div(x, tf.sqrt(tf.sum(tf.square(x), 1, true)));

/** Of square logits and their transpose; the right answers are on the diagonal. */
function contrastiveLoss(logits: Tensor2D, transposed: Tensor2D): Scalar {
  const labels = tf.range(0, logits.shape[0], 1, 'int32');
  return tf.div(tf.add(crossEntropy(logits, labels), crossEntropy(transposed, labels)), 2);
}

/** For `loadState`: files on the hub store the position numbers. */
export const clipLoadOptions = { ignore: /embeddings\.position_ids$/ };
