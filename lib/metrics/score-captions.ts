import { CaptionScores, CaptionStatistics, ScoreCaptionsOptions } from './caption-statistics';

export interface CaptionEvaluation {
  /** BLEU over pooled counts; the others are means over the images. */
  corpus: CaptionScores;
  /** By image id, in the order of `candidates`. */
  images: Record<string, CaptionScores>;
}

/**
 * Score one candidate caption an image against its references with every caption metric.
 *
 * @param references by image id, one or more captions
 * @param candidates by image id, the caption to score; the ids are those of `references`
 * @throws TypeError or RangeError naming the image whose captions are missing or no strings
 */
export function scoreCaptions(
  references: Readonly<Record<string, readonly string[]>>,
  candidates: Readonly<Record<string, string>>,
  options: ScoreCaptionsOptions = {},
): CaptionEvaluation {
  const statistics = new CaptionStatistics(references, candidates, options);
  return {
    corpus: statistics.corpus(),
    // fromEntries, not assignment: an image may be called __proto__.
    images: Object.fromEntries(statistics.ids.map((id, i) => [id, statistics.image(i)])),
  };
}
