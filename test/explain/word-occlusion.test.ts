import assert from 'node:assert/strict';
import * as path from 'node:path';
import { CaptionSourceClassifier } from '../../lib/classifiers';
import type { CaptionSourceRow } from '../../lib/datasets';
import { Random, tensorCount, tf } from '../../lib/engine';
import { tellingWords, wordEffects } from '../../lib/explain';
import { BertForSequenceClassification } from '../../lib/models';
import { Tokenizer } from '../../lib/tokenizers';
import { closeTo } from '../close-to';

const tokenizer = Tokenizer.fromPretrained(path.join(__dirname, '../fixtures/tokenizers/word-piece'));
const build = (sources: string[], fields = ['original', 'generated', 'level'] as const): CaptionSourceClassifier => {
  const config = { vocabSize: tokenizer.vocabularySize, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 24 };
  const model = new BertForSequenceClassification(config, sources.length, new Random(3));
  return new CaptionSourceClassifier(model, tokenizer, sources, { fields, maxLength: 40 });
};
const row = (generatedCaption: string, sourceModel = 'a'): CaptionSourceRow =>
  ({ originalCaption: 'Two dogs run.', generatedCaption, occlusionLevel: 50, sourceModel, imageFilename: 'a.jpg' });

describe('wordEffects', () => {
  it('is the log-odds of the whole less those with all pieces of the word masked', async () => {
    const classifier = build(['a', 'b', 'c']);
    const before = tensorCount();
    const rows = [row('A dog, zebraish'), row(''), row('dog dog grass')];
    const effects = await wordEffects(classifier, rows, { batchSize: 3 });
    const pieces = tokenizer.encode('zebraish', { addSpecialTokens: false }).inputIds;
    assert.ok(pieces.length > 1, 'a word of several pieces');
    assert.deepEqual(effects.map((words) => words.map(({ word }) => word)), [['a', 'dog', ',', 'zebraish'], [], ['dog', 'dog', 'grass']]);

    const odds = (ids: number[]): number[] => tf.tidy(() => {
      const p = Array.from(tf.softmax(classifier.model.forward({ inputIds: tf.tensor2d([ids], undefined, 'int32') }).logits).dataSync());
      return p.map((value) => Math.log(value / (1 - value)));
    });
    const { inputIds, spans } = classifier.encode(rows[0]);
    const last = (i: number): boolean => i >= spans[1].to - pieces.length && i < spans[1].to;
    const whole = odds(inputIds), masked = odds(inputIds.map((id, i) => (last(i) ? tokenizer.maskTokenId! : id)));
    closeTo(effects[0][3].effects, whole.map((value, c) => value - masked[c]), 1e-4);
    assert.ok(effects[0][3].effects.some((effect) => Math.abs(effect) > 1e-3), 'it is not nothing');
    assert.equal(tensorCount(), before);
    classifier.dispose();
  });

  it('of two sources are each other\'s opposite, and cover what is left of a long caption', async () => {
    const classifier = build(['a', 'b']);
    const [words] = await wordEffects(classifier, [row('dog grass '.repeat(40))]);
    const { spans } = classifier.encode(row('dog grass '.repeat(40)));
    const [, { from, to }] = spans;
    assert.ok(words.length > 5 && words.length <= to - from && words.length < 80);
    for (const { effects: [a, b] } of words) closeTo([a], [-b], 1e-5);
    classifier.dispose();
  });

  it('needs a classifier that reads the generated caption', async () => {
    const classifier = build(['a', 'b'], ['original', 'level'] as never);
    await assert.rejects(wordEffects(classifier, [row('dog')]), /does not read the generated caption/);
    classifier.dispose();
  });
});

describe('tellingWords', () => {
  it('averages over all places of a word and names the source it speaks for', () => {
    const effects = [
      [{ word: 'the', effects: [2, -2] }, { word: 'dog', effects: [0.5, -0.5] }],
      [{ word: 'the', effects: [1, -1] }, { word: 'the', effects: [0, 0] }],
      [{ word: 'dog', effects: [-2.5, 2.5] }, { word: 'rare', effects: [-9, 9] }],
    ];
    assert.deepEqual(tellingWords(['a', 'b'], [row('', 'a'), row('', 'a'), row('', 'b')], effects, { minCount: 2 }), [
      { word: 'dog', source: 'b', effect: 1, count: 2, countInSource: 1 },
      { word: 'the', source: 'a', effect: 1, count: 3, countInSource: 3 },
    ]);
    assert.equal(tellingWords(['a', 'b'], [row(''), row(''), row('')], effects, { minCount: 1 })[0].word, 'rare');
    assert.throws(() => tellingWords(['a', 'b'], [row('')], effects), /1 captions and the effects of 3/);
  });
});
