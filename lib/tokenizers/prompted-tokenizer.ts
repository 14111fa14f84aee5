import type { CaptionIds } from './caption-vocabulary';
import type { Tokenizer } from './tokenizer';

/** A language model's own pieces for captions that each continue a prompt, such as report 001's "Image Caption: ". Padding stands left. */
export class PromptedTokenizer implements CaptionIds {
  readonly padId: number;
  readonly startId: number;
  readonly endId: number;
  readonly promptIds: readonly number[];
  readonly paddingSide = 'left';
  private readonly blank: string;

  /** @throws Error when the tokenizer names no token that ends a text */
  constructor(readonly tokenizer: Tokenizer, readonly prompt = '') {
    const { startId, endId } = boundsOf(tokenizer);
    [this.startId, this.endId, this.padId] = [startId, endId, tokenizer.padTokenId ?? endId];
    this.promptIds = promptIdsOf(tokenizer, prompt);
    this.blank = prompt.slice(prompt.trimEnd().length);
  }

  encode(text: string): number[] { return this.tokenizer.encode(this.blank + text, { addSpecialTokens: false }).inputIds; }
}

/**
 * A prompt's ids, without start token. The blank at its end is left to the word that follows, since byte-level pieces carry it in
 * front (" A" is one piece): prompt and caption encoded apart are then the ids of both encoded together.
 */
export const promptIdsOf = (tokenizer: Tokenizer, prompt: string): number[] =>
  tokenizer.encode(prompt.trimEnd(), { addSpecialTokens: false }).inputIds;

/** The tokens that texts begin and end with; the end token does both where the tokenizer names no other. */
export function boundsOf(tokenizer: Tokenizer): { startId: number; endId: number } {
  const endId = tokenizer.eosTokenId ?? tokenizer.sepTokenId;
  if (endId === null) throw new Error('The tokenizer names neither an end token nor a separator: set eos_token in tokenizer_config.json.');
  return { startId: tokenizer.bosTokenId ?? tokenizer.clsTokenId ?? endId, endId };
}
