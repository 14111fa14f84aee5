import assert from 'node:assert/strict';
import { captionDiversity } from '../../lib/metrics';
import { closeTo } from '../close-to';

describe('captionDiversity', () => {
  it('counts words, pairs, repetitions and what was not in the training captions', () => {
    const captions = ['A red ball.', 'a red ball', 'a cat', 'Dog'], training = ['A CAT!', 'two dogs', 'a dog'];
    const { distinct1, distinct2, vocabulary, unique, novel, meanLength } = captionDiversity(captions, { training });
    assert.equal(vocabulary, 5); // a, red, ball, cat, dog
    closeTo([distinct1, distinct2, unique, novel!, meanLength], [5 / 9, 3 / 5, 3 / 4, 3 / 4, 9 / 4], 1e-12);
  });

  it('knows no pairs in single words, and nothing of novelty without training captions', () => {
    assert.deepEqual(captionDiversity(['ball', '', 'ball']), { distinct1: 0.5, distinct2: 0, vocabulary: 1, unique: 2 / 3, meanLength: 2 / 3 });
    assert.throws(() => captionDiversity([]), /no captions/);
  });
});
