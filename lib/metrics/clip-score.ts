/**
 * CLIPScore and RefCLIPScore (Hessel et al. 2021, https://arxiv.org/abs/2104.08718, equations 1 and 2; github.com/jmhessel/clipscore): how well a
 * caption fits its picture by CLIP's cosine, and, with references, the harmonic mean with the best reference's cosine. They depend on the CLIP
 * that is used: the published numbers are ViT-B/32's.
 */
import type { ClipEmbedder, EmbedOptions, Embeddings } from '../models';
import type { ImageSource } from '../images';

/** The published weight and prompt. */
export const clipScoreDefaults = { weight: 2.5, prefix: 'A photo depicts ' } as const;

export interface ClipScores {
  /** Mean over the pictures. */
  CLIPScore: number;
  /** Where there are references. */
  RefCLIPScore?: number;
  /** The same of every picture, in order. */
  images: { CLIPScore: number; RefCLIPScore?: number }[];
}

function dot(a: Embeddings, i: number, b: Embeddings, j: number): number {
  let sum = 0;
  for (let k = 0; k < a.size; k++) sum += a.values[i * a.size + k] * b.values[j * b.size + k];
  return sum;
}

/** w · max(cos, 0) of picture i with caption i. */
export function clipScore(images: Embeddings, captions: Embeddings, weight: number = clipScoreDefaults.weight): number[] {
  if (images.count !== captions.count) throw new Error(`${captions.count} captions for ${images.count} pictures.`);
  return Array.from({ length: images.count }, (_, i) => weight * Math.max(0, dot(images, i, captions, i)));
}

/**
 * Harmonic mean of each score with max(0, the best cosine of caption i with a reference of picture i); 0 where one of them is 0.
 *
 * @param owners the picture of each reference
 */
export function refClipScore(scores: readonly number[], captions: Embeddings, references: Embeddings, owners: readonly number[]): number[] {
  const best = new Float64Array(scores.length);
  const seen = new Uint8Array(scores.length);
  for (const [j, i] of owners.entries()) {
    best[i] = Math.max(best[i], dot(captions, i, references, j));
    seen[i] = 1;
  }
  const without = seen.indexOf(0);
  if (without >= 0) throw new Error(`Picture ${without} has no reference: RefCLIPScore needs at least one for each.`);
  return scores.map((score, i) => (score > 0 && best[i] > 0 ? (2 * score * best[i]) / (score + best[i]) : 0));
}

export interface ClipScoreOptions extends EmbedOptions {
  /** The references of each picture; without them there is no RefCLIPScore. */
  references?: readonly (readonly string[])[];
  /** Stands before every caption and reference. */
  prefix?: string;
  weight?: number;
  /** The pictures' embeddings, where they are known already. */
  imageEmbeddings?: Embeddings;
}

/** Caption i is of picture i. */
export type ClipScorer = (captions: readonly string[]) => Promise<ClipScores>;

/** A scorer of captions of these pictures, which embeds them and their references once, however many captions are to be compared. */
export async function clipScorer(clip: ClipEmbedder, images: readonly ImageSource[], options: ClipScoreOptions = {}): Promise<ClipScorer> {
  const { references, prefix = clipScoreDefaults.prefix, weight, imageEmbeddings, ...embed } = options;
  if (references && references.length !== images.length) throw new Error(`References of ${references.length} pictures for ${images.length}.`);
  const prompted = (texts: readonly string[]) => clip.texts(texts.map((text) => prefix + text), { signal: embed.signal });
  const pictures = imageEmbeddings ?? await clip.images(images, embed);
  const known = references && await prompted(references.flat());
  const owners = references?.flatMap((texts, i) => texts.map(() => i)) ?? [];
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return async (captions) => {
    const candidates = await prompted(captions);
    const scores = clipScore(pictures, candidates, weight);
    const withReferences = known && refClipScore(scores, candidates, known, owners);
    return {
      CLIPScore: mean(scores), ...(withReferences ? { RefCLIPScore: mean(withReferences) } : {}),
      images: scores.map((CLIPScore, i) => ({ CLIPScore, ...(withReferences ? { RefCLIPScore: withReferences[i] } : {}) })),
    };
  };
}

/** Scores caption i of picture i, once: see `clipScorer` for several captions of the same pictures. */
export async function scoreWithClip(clip: ClipEmbedder, images: readonly ImageSource[], captions: readonly string[],
  options: ClipScoreOptions = {}): Promise<ClipScores> {
  return (await clipScorer(clip, images, options))(captions);
}
