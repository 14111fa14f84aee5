/** Captions as ids: all that training asks of words. */
export interface CaptionIds {
  /** Fills inputs up; labels are filled with −100, which counts for nothing. */
  readonly padId: number;
  readonly startId: number;
  readonly endId: number;
  /** Read behind the start of every caption and never scored; default none. */
  readonly promptIds?: readonly number[];
  /** Where shorter captions are filled up; default 'right'. */
  readonly paddingSide?: 'left' | 'right';
  /** Ids without start, prompt and end. */
  encode(text: string): number[];
}

/** Words or pieces trained on the captions themselves: what the recurrent captioners speak. */
export interface CaptionVocabulary extends CaptionIds {
  readonly size: number;
  readonly unkId: number;
  /** The text of ids up to the end, special ones left out. */
  decode(ids: Iterable<number>): string;
  /** The word or piece of an id. @throws for an id outside the vocabulary */
  word(id: number): string;
  /** Writes one file. */
  save(file: string): void;
}
