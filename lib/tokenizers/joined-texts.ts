import type { Tokenizer } from './tokenizer';

export interface TextPart {
  readonly text: string;
  /** Never cut, however long the others are. */
  readonly keep?: boolean;
}

export interface JoinedText {
  /** [CLS] part [SEP] part [SEP] … part [SEP] */
  readonly inputIds: number[];
  /** Where each part's ids lie: from the first to before `to`. */
  readonly spans: readonly { readonly from: number; readonly to: number }[];
}

/**
 * Several texts as one input with the tokenizer's own separators, as if they had been joined by " [SEP] " and encoded: one segment,
 * all token types 0. What is over `maxLength` is cut from the end of the longest part that may be cut, one id at a time; of parts
 * of the same length the last one loses first. Words that read like special tokens in a part are read as plain text.
 *
 * @throws RangeError when the parts that are kept do not fit
 */
export function encodeJoined(
  tokenizer: Tokenizer, parts: readonly TextPart[], { maxLength = 128 }: { maxLength?: number } = {},
): JoinedText {
  const { clsTokenId: cls, sepTokenId: sep } = tokenizer;
  if (cls === null || sep === null) throw new Error('Joining texts needs a tokenizer with [CLS] and [SEP], such as BERT\'s.');
  const pieces = parts.map(({ text }) => tokenizer.encode(plain(tokenizer, text), { addSpecialTokens: false }).inputIds);
  const fixed = 1 + parts.length + parts.reduce((sum, { keep }, i) => sum + (keep ? pieces[i].length : 0), 0);
  if (fixed > maxLength) throw new RangeError(`maxLength is ${maxLength}, but separators and the parts that are kept take ${fixed} ids.`);
  const cut = parts.flatMap(({ keep }, i) => (keep ? [] : [i]));
  const lengths = fitLengths(cut.map((i) => pieces[i].length), maxLength - fixed);
  for (const [k, i] of cut.entries()) pieces[i].length = lengths[k];
  const inputIds = [cls], spans = [];
  for (const ids of pieces) {
    spans.push({ from: inputIds.length, to: inputIds.length + ids.length });
    inputIds.push(...ids, sep);
  }
  return { inputIds, spans };
}

/** Lengths cut to `room` together: what is longer than a common limit gets that limit; what is left over goes to the first ones. */
function fitLengths(lengths: readonly number[], room: number): number[] {
  const sum = (limit: number): number => lengths.reduce((total, length) => total + Math.min(length, limit), 0);
  if (sum(Infinity) <= room) return [...lengths];
  let limit = 0;
  while (sum(limit + 1) <= room) limit++;
  let left = room - sum(limit);
  return lengths.map((length) => (length > limit && left > 0 && left-- ? limit + 1 : Math.min(length, limit)));
}

/** A blank behind the first character of what would be read as a special token: "[SEP]" becomes "[ SEP]". */
function plain(tokenizer: Tokenizer, text: string): string {
  const { clsTokenId, sepTokenId, padTokenId, maskTokenId, unkTokenId } = tokenizer;
  let result = text;
  for (const id of [clsTokenId, sepTokenId, padTokenId, maskTokenId, unkTokenId]) {
    if (id === null) continue;
    const token = tokenizer.idToToken(id);
    result = result.replaceAll(token, `${token.slice(0, 1)} ${token.slice(1)}`);
  }
  return result;
}
