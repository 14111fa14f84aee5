import assert from 'node:assert/strict';
import { Meteor, meteor } from '../../lib/metrics/meteor';

const words = (text: string) => text.split(' ').filter(Boolean);

describe('meteor', () => {
  it("gives the score of NLTK's documentation", () => {
    const candidate = words('It is a guide to action which ensures that the military always obeys the commands of the party');
    const references = [
      'It is a guide to action that ensures that the military will forever heed Party commands',
      'It is the guiding principle which guarantees the military forces always being under the command of the Party',
      'It is the practical guide for the army always to heed the directions of the party',
    ].map(words);
    assert.equal(meteor(references, candidate).toFixed(4), '0.6944');
    assert.equal(meteor([words('this is a cat')], words('non matching hypothesis')), 0);
  });

  it('is 0 for an empty caption, and needs a reference', () => {
    assert.equal(meteor([words('a dog')], []), 0);
    assert.equal(meteor([[]], words('a dog')), 0);
    assert.equal(meteor([[]], []), 0);
    assert.throws(() => meteor([], words('a')), RangeError);
  });
});

describe('Meteor.align', () => {
  const scorer = new Meteor();

  it('matches equal words, then stems, then synonyms of stems', () => {
    assert.deepEqual(scorer.align(words('dogs run auto'), words('car dog run')), [[0, 2], [1, 0], [2, 1]]);
  });

  it('looks synonyms up by the stem, so that "automobile" (automobil) has none', () => {
    assert.deepEqual(scorer.align(words('automobile'), words('car')), []);
  });

  it('gives the last word of the candidate the last free word of the reference', () => {
    assert.deepEqual(scorer.align(words('a b a'), words('a')), [[0, 2]]);
    assert.deepEqual(scorer.align(words('a b a'), words('a a')), [[0, 0], [1, 2]]);
  });
});
