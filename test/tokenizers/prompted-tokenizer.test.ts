import assert from 'node:assert/strict';
import * as path from 'node:path';
import { PromptedTokenizer, promptIdsOf, Tokenizer } from '../../lib/tokenizers';

describe('PromptedTokenizer', () => {
  const tokenizer = Tokenizer.fromPretrained(path.join(__dirname, '..', '..', 'weights', 'gpt2-scenes'));
  const whole = (text: string) => tokenizer.encode(text, { addSpecialTokens: false }).inputIds;

  it('prompt and caption are the ids of both encoded together, whatever stands where they meet', () => {
    for (const prompt of ['Image Caption: ', 'Image Caption:', 'A drawing of', 'seen: "', '']) {
      const vocabulary = new PromptedTokenizer(tokenizer, prompt);
      for (const caption of ['A red house and a tree.', 'There is one blue umbrella.']) {
        assert.deepEqual([...vocabulary.promptIds, ...vocabulary.encode(caption)], whole(prompt + caption), prompt + caption);
      }
    }
  });

  it('leaves the blank before the first word to that word', () => {
    const { promptIds } = new PromptedTokenizer(tokenizer, 'Image Caption: ');
    assert.deepEqual(promptIds, promptIdsOf(tokenizer, 'Image Caption:'));
    assert.equal(tokenizer.decode(promptIds), 'Image Caption:');
    assert.equal(tokenizer.decode(new PromptedTokenizer(tokenizer, 'Image Caption: ').encode('A tree.')), ' A tree.');
  });

  it('begins, ends and pads with GPT-2\'s one special token, on the left', () => {
    const { startId, endId, padId, paddingSide } = new PromptedTokenizer(tokenizer);
    assert.deepEqual([startId, endId, padId, paddingSide], [910, 910, 910, 'left']);
  });

  it('refuses a tokenizer without an end', () => {
    const nameless = Object.create(tokenizer, { eosTokenId: { value: null }, sepTokenId: { value: null } }) as Tokenizer;
    assert.throws(() => new PromptedTokenizer(nameless), /names neither an end token nor a separator/);
  });
});
