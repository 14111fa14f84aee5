/** Words or pieces trained on the captions themselves: what the recurrent captioners speak. */
export interface CaptionVocabulary {
  readonly size: number;
  /** Fills inputs to the right; labels are filled with −100, which counts for nothing. */
  readonly padId: number;
  readonly startId: number;
  readonly endId: number;
  readonly unkId: number;
  /** Ids without start and end. */
  encode(text: string): number[];
  /** The text of ids up to the end, special ones left out. */
  decode(ids: Iterable<number>): string;
  /** The word or piece of an id. @throws for an id outside the vocabulary */
  word(id: number): string;
  /** Writes one file. */
  save(file: string): void;
}
