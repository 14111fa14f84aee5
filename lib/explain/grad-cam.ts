/**
 * Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391) on cross attention, as ALBEF (Li et al. 2021,
 * https://arxiv.org/abs/2107.07651) and LAVIS' code for BLIP (`compute_gradcam`) have it for image-text matching. Here it is for the words
 * that BLIP writes: a word's score is its log-probability after the words before it.
 */
import { gridOf, type Caption, type CaptionOptions, type PretrainedCaptioner } from '../captioners';
import { crossEntropy, tf, type Scalar, type Tensor, type Tensor2D, type Tensor4D } from '../engine';
import type { ImageSource } from '../images';
import { BlipForConditionalGeneration } from '../models';
import { joinPieces, type WordMaps } from './word-maps';

export interface GradCamOptions {
  /** Whose cross attention, from 0. Default the first of the upper half (6 of 12), as LAVIS has it. */
  layer?: number;
  /** Whether what speaks against the word is cut off to 0, as Grad-CAM does. Default true; without it maps may be negative. */
  relu?: boolean;
  /** What the captioner said of the pictures, one each; without it they are captioned first, */
  captions?: readonly Caption[];
  /** in this way: beams, lengths. */
  generation?: CaptionOptions;
}

export interface GradCam extends WordMaps {
  caption: Caption;
  /** One for each of the caption's tokens: pieces of words, punctuation and the end. */
  tokenMaps: Float32Array[];
}

/**
 * Captions pictures with BLIP, and tells for each word which parts of the picture speak for it: the gradient of the word's log-probability
 * for the cross attention that it was chosen by, times that attention, cut off below 0 (`relu`), the mean over heads. A word of several
 * pieces has the mean of their maps; the class token's part is left out.
 *
 * @returns one for each picture; `attentionGrid(picture, words, maps, { shape: grid })` draws it
 * @throws Error when the captioner is not BLIP or has no such layer, or the captions are not one a picture
 */
export async function gradCam(
  captioner: PretrainedCaptioner, images: readonly ImageSource[], options: GradCamOptions = {},
): Promise<GradCam[]> {
  const { model, processor } = captioner;
  if (!(model instanceof BlipForConditionalGeneration)) {
    throw new Error(`Grad-CAM looks at BLIP's cross attention, and this is a ${model.constructor.name}: load a BLIP, such as blip-scenes.`);
  }
  const layers = model.config.textConfig.numHiddenLayers, { layer = Math.floor(layers / 2), relu = true } = options;
  if (!Number.isInteger(layer) || layer < 0 || layer >= layers) throw new Error(`layer is ${layer}: expected 0 to ${layers - 1}.`);
  const captions = options.captions ?? await captioner.caption(images, options.generation), explained: GradCam[] = [];
  if (captions.length !== images.length) throw new Error(`${captions.length} captions for ${images.length} pictures: expected one each.`);
  for (const [i, caption] of captions.entries()) {
    const { data, shape } = await processor.batch([images[i]]);
    const rows = tf.tidy(() => mapsOf(model, tf.tensor4d(data, shape), caption.tokens, { layer, relu }).arraySync());
    const tokenMaps = rows.map((map) => Float32Array.from(map)), grid = gridOf(tokenMaps[0].length, shape[2] / shape[1]);
    explained.push({ caption, tokenMaps, ...joinPieces(caption.text, caption.words, tokenMaps), grid });
  }
  return explained;
}

/** Each token's map, (tokens, patches). */
function mapsOf(
  model: BlipForConditionalGeneration, pixelValues: Tensor4D, tokens: readonly number[], { layer, relu }: { layer: number; relu: boolean },
): Tensor2D {
  const count = tokens.length, words = [model.config.textConfig.bosTokenId, ...tokens.slice(0, -1)];
  // The text once for each token: row t scores token t alone, so that one pass back gives all their gradients.
  const inputIds = tf.tensor2d(tokens.map(() => words), undefined, 'int32');
  const labels = tf.tensor1d(tokens.flatMap((_, row) => tokens.map((id, at) => (at === row ? id : -100))), 'int32');
  const sum = (logits: Tensor) => tf.mul<Scalar>(crossEntropy(tf.reshape(logits, [count * count, -1]), labels), -count);
  const { crossAttentions, gradients, score } = model.crossAttentionGradients({ pixelValues, inputIds }, sum);
  const products = tf.transpose(tf.mul(crossAttentions[layer], gradients[layer]), [0, 2, 1, 3]);
  const [, , heads, positions] = products.shape as number[];
  // Of row t the attention at t, which token t was chosen by.
  const chosen = tf.gather(tf.reshape(products, [count * count, heads, positions]), tokens.map((_, t) => t * count + t));
  const maps = tf.mean<Tensor2D>(tf.slice(relu ? tf.relu(chosen) : chosen, [0, 0, 1], [-1, -1, -1]), 1);
  tf.dispose([score, ...crossAttentions, ...gradients]);
  return maps;
}
