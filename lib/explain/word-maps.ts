import type { Caption } from '../captioners';

/** A map over the picture for each word of a caption: attention, Grad-CAM, or another account of where a word comes from. */
export interface WordMaps {
  words: string[];
  /** `maps[word][row * columns + column]` */
  maps: Float32Array[];
  grid: readonly [rows: number, columns: number];
}

/**
 * A caption's attention by whole words: a word of several pieces has the mean of their maps; punctuation and special tokens have none.
 *
 * @throws Error for a caption without attention
 */
export function wordMaps({ text, words, attention }: Caption): WordMaps {
  if (!attention) throw new Error('The caption tells no attention: caption with outputAttentions: true, by a captioner that attends.');
  return { ...joinPieces(text, words, attention.maps), grid: attention.grid };
}

const LETTER = /[\p{L}\p{N}]/u;

/** Finds the pieces in the text, and makes words of those that no space is between. */
export function joinPieces(text: string, pieces: readonly string[], maps: readonly Float32Array[]): Pick<WordMaps, 'words' | 'maps'> {
  const words: { from: number; to: number; maps: Float32Array[] }[] = [];
  let end = 0, lost = false;
  for (const [i, token] of pieces.entries()) {
    const piece = token.replace(/^(##|▁)/, ''), at = text.indexOf(piece, end);
    // What the text leaves out (the end token) or a piece by itself cannot show (half a letter) is passed over.
    if (piece === '' || at < 0 || (LETTER.test(text.slice(end, at)) && !lost)) {
      lost ||= piece.includes('\uFFFD');
      continue;
    }
    const former = words.at(-1), to = at + piece.length;
    if (LETTER.test(piece)) {
      if (former && !/\s/.test(text.slice(former.to, at))) {
        former.to = to;
        former.maps.push(maps[i]);
      } else words.push({ from: at, to, maps: [maps[i]] });
    }
    [end, lost] = [to, false];
  }
  return { words: words.map(({ from, to }) => text.slice(from, to)), maps: words.map((word) => mean(word.maps)) };
}

function mean(maps: readonly Float32Array[]): Float32Array {
  return maps[0].map((_, at) => maps.reduce((sum, map) => sum + map[at], 0) / maps.length);
}
