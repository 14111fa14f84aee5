import assert from 'node:assert/strict';
import { bleu } from '../../lib/metrics/bleu';

const words = (text: string) => text.split(' ').filter(Boolean);
const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-8, `${actual} is not ${expected}`);

describe('bleu', () => {
  it('clips at the most frequent use in one reference, not at the sum', () => {
    const { images } = bleu([[words('the cat the'), words('the mat')]], [words('the the the')]);
    near(images[0][0], 2 / 3);
  });

  it('takes the reference length closest to the candidate, the shorter on a tie', () => {
    const references = [[words('a b'), words('a b c d e f')]];
    near(bleu(references, [words('a b c d')]).corpus[0], 1);
    near(bleu([[words('a b c d e f')]], [words('a b c d')]).corpus[0], Math.exp(1 - 6 / 4));
  });

  it('pools the counts of the corpus', () => {
    const { corpus, images } = bleu([[words('a b c d')], [words('e')]], [words('a b c x'), words('f')]);
    near(images[0][0], 3 / 4);
    near(images[1][0], 0);
    near(corpus[0], 3 / 5);
  });

  it('refuses a corpus whose parts do not fit', () => {
    assert.throws(() => bleu([[['a']]], []), /1 images have references, 0 have a candidate/);
    assert.throws(() => bleu([[]], [['a']]), /image 0 has no reference/);
  });
});
