// Training of byte pairs (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909) as GPT-2 and CLIP use them: on the byte symbols of each
// word, the most frequent pair first, of equals the one first seen.
import { byteSymbols } from '../../lib/tokenizers/vocabulary-files';

const symbols = (() => {
  const table = byteSymbols();
  const order: number[] = [];
  for (const [from, to] of [
    [33, 126],
    [161, 172],
    [174, 255],
  ])
    for (let byte = from; byte <= to; byte++) order.push(byte);
  for (let byte = 0; byte < 256; byte++) if (!order.includes(byte)) order.push(byte);
  const ofByte: string[] = [];
  order.forEach((byte, i) => {
    ofByte[byte] = table[i];
  });
  return ofByte;
})();

/** A word's bytes as symbols; `end` is added to the last. */
const symbolsOf = (word: string, end: string): string[] => {
  const parts = Array.from(Buffer.from(word), (byte) => symbols[byte]);
  parts[parts.length - 1] += end;
  return parts;
};

/**
 * At most `count` merges; fewer where every word is one piece before.
 *
 * @param words words as the tokenizer parts them (GPT-2's carry the space before them), and how often each was seen
 * @param end CLIP's mark of a word's end, '</w>'
 */
export function trainBytePairs(words: ReadonlyMap<string, number>, count: number, end = ''): [string, string][] {
  const rows = [...words].map(([word, weight]) => ({ parts: symbolsOf(word, end), weight }));
  const merges: [string, string][] = [];
  while (merges.length < count) {
    const pairs = new Map<string, number>();
    for (const { parts, weight } of rows) {
      for (let i = 1; i < parts.length; i++) {
        const pair = `${parts[i - 1]} ${parts[i]}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + weight);
      }
    }
    let best = '',
      most = 0;
    for (const [pair, seen] of pairs) if (seen > most) [best, most] = [pair, seen];
    if (!best) break;
    const [left, right] = best.split(' ');
    merges.push([left, right]);
    for (const row of rows) {
      for (let i = 1; i < row.parts.length; i++)
        if (row.parts[i - 1] === left && row.parts[i] === right) row.parts.splice(i - 1, 2, left + right);
    }
  }
  return merges;
}
