/** coco-caption weighs recall by this; Lin's paper leaves the value open. */
const BETA = 1.2;

/**
 * ROUGE-L (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004) as coco-caption's `rouge.py` computes it:
 * F-measure with beta 1.2 of the longest common subsequence, where precision and recall are each the best over the references,
 * even if these are different references.
 *
 * A caption without tokens counts as one empty token there, so that empty against empty is 1.
 *
 * @param references tokens of each reference of one image
 * @param candidate tokens of the candidate
 * @returns a fraction, 0 … 1
 * @throws RangeError without a reference
 */
export function rougeL(references: readonly (readonly string[])[], candidate: readonly string[]): number {
  if (references.length === 0) throw new RangeError('ROUGE-L needs at least one reference');
  const words = candidate.length === 0 ? [''] : candidate;
  let precision = 0;
  let recall = 0;
  for (const tokens of references) {
    const reference = tokens.length === 0 ? [''] : tokens;
    const common = longestCommonSubsequence(words, reference);
    precision = Math.max(precision, common / words.length);
    recall = Math.max(recall, common / reference.length);
  }
  if (precision === 0 || recall === 0) return 0;
  return ((1 + BETA ** 2) * precision * recall) / (recall + BETA ** 2 * precision);
}

/** Length of the longest common subsequence: O(|a|·|b|) time, O(|b|) memory. */
export function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  // row[j]: the answer for the part of `a` read so far and the first j tokens of `b`.
  const row = new Int32Array(b.length + 1);
  for (const token of a) {
    let diagonal = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j];
      if (token === b[j - 1]) row[j] = diagonal + 1;
      else if (row[j - 1] > above) row[j] = row[j - 1];
      diagonal = above;
    }
  }
  return row[b.length];
}
