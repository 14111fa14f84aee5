/**
 * Attention rollout (Abnar and Zuidema 2020, https://arxiv.org/abs/2005.00928, section 3) for a captioner of two Transformers: attention is
 * followed through all layers back to the picture's patches. A layer hands on half of what it got (the residual) and half of what it
 * attended to, the mean over heads; the paper has this for one stack of layers, the decoder's two kinds of attention are one after the other
 * here.
 */
import { FeatureCaptioner, TransformerDecoder, type Caption } from '../captioners';
import { matMul, tf, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D } from '../engine';
import type { ImageSource } from '../images';
import { DeiT3, ViTForImageClassification, ViTModel } from '../models';
import { joinPieces, type WordMaps } from './word-maps';

export interface AttentionRollout extends WordMaps {
  caption: Caption;
  /** One for each of the caption's tokens, the end token included; less than 1 in sum: the rest stayed with words and the class token. */
  tokenMaps: Float32Array[];
}

/**
 * @param captions what the captioner said of the pictures, one each
 * @throws Error when the captioner is not a Transformer on a ViT or DeiT-III, or the captions are not one a picture
 */
export async function attentionRollout(
  captioner: FeatureCaptioner, images: readonly ImageSource[], captions: readonly Caption[],
): Promise<AttentionRollout[]> {
  const { encoder, decoder, vocabulary } = captioner, { network } = encoder;
  const vit = network instanceof ViTForImageClassification ? network.vit : network;
  if (!(decoder instanceof TransformerDecoder) || !(vit instanceof ViTModel || vit instanceof DeiT3)) {
    const found = `a ${decoder.constructor.name} on a ${network.constructor.name}`;
    throw new Error(`Rollout follows attention from end to end, and this is ${found}: expected a TransformerDecoder on a ViT or DeiT-III.`);
  }
  if (captions.length !== images.length) throw new Error(`${captions.length} captions for ${images.length} pictures: expected one each.`);
  const explained: AttentionRollout[] = [];
  for (const [i, caption] of captions.entries()) {
    const { data, shape } = await encoder.processor.batch([images[i]]);
    const maps = tf.tidy(() => {
      const { lastHiddenState, attentions } = vit.forward({ pixelValues: tf.tensor4d(data, shape) as Tensor4D, outputAttentions: true });
      const words = tf.tensor2d([[vocabulary.startId, ...caption.tokens.slice(0, -1)]], undefined, 'int32');
      const { selfAttentions, crossAttentions } = decoder.forward(lastHiddenState, words as Tensor2D);
      const toFeatures = decoderRollout(selfAttentions.map(meanOfHeads), crossAttentions.map(meanOfHeads));
      const toPatches = matMul(toFeatures, encoderRollout(attentions!.map(meanOfHeads)));
      return tf.slice(toPatches, [0, encoder.prefix], [-1, -1]).arraySync() as number[][];
    });
    const tokenMaps = maps.map((map) => Float32Array.from(map));
    explained.push({ caption, tokenMaps, ...joinPieces(caption.text, caption.words, tokenMaps), grid: encoder.grid });
  }
  return explained;
}

/** (1, heads, rows, columns) → (rows, columns) */
const meanOfHeads = (weights: Tensor): Tensor => tf.mean(tf.squeeze<Tensor3D>(weights, [0]), 0);

const half = (kept: Tensor, attended: Tensor): Tensor => tf.mul(0.5, tf.add(kept, attended));

/**
 * How much each position's last hidden state is made of each position of the input: the product of ½(I + A) over the layers.
 *
 * @param attentions each layer's, (L, L)
 * @returns (L, L), rows sum to 1
 */
export const encoderRollout = (attentions: readonly Tensor[]): Tensor => tf.tidy(() => attentions.slice(1).reduce<Tensor>(
  (rolled, weights) => half(rolled, matMul(weights, rolled)), half(tf.eye(attentions[0].shape[0]), attentions[0])));

/**
 * How much each word's last hidden state is made of each position of the memory.
 *
 * @param selfAttentions each layer's attention to the words, (T, T)
 * @param crossAttentions each layer's attention to the memory, (T, L)
 * @returns (T, L), rows sum to less than 1: the rest is the words' own
 */
export const decoderRollout = (selfAttentions: readonly Tensor[], crossAttentions: readonly Tensor[]): Tensor => tf.tidy(() => {
  const through = (rolled: Tensor, weights: Tensor, layer: number): Tensor =>
    half(half(rolled, matMul(weights, rolled)), crossAttentions[layer]);
  return selfAttentions.reduce<Tensor>(through, tf.zerosLike(crossAttentions[0]));
});
