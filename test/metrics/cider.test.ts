import assert from 'node:assert/strict';
import { cider, ciderD } from '../../lib/metrics/cider';

const words = (text: string) => text.split(' ').filter(Boolean);

describe('cider', () => {
  it('is 10 for a candidate equal to its only reference of four words', () => {
    const { corpus, images, warning } = cider([[words('a b c d')], [words('e f g h')]], [words('a b c d'), words('x')]);
    assert.ok(Math.abs(images[0] - 10) < 1e-9);
    assert.equal(images[1], 0);
    assert.ok(Math.abs(corpus - 5) < 1e-9);
    assert.equal(warning, undefined);
  });

  it('gives words that every image has no weight', () => {
    assert.equal(cider([[words('a')], [words('a b')]], [words('a'), words('a')]).corpus, 0);
  });

  it('clips repeated words and punishes length', () => {
    const references = [[words('a b c d')], [words('e f g h')]];
    const [once] = cider(references, [words('a b c d'), []]).images;
    const [twice] = cider(references, [words('a b c d a b c d'), []]).images;
    assert.ok(twice < once * Math.exp(-16 / 72));
  });

  it('warns where the number cannot mean anything', () => {
    assert.deepEqual(cider([[words('a b')]], [words('a b')]).images, [0]);
    assert.match(cider([[words('a b')]], [words('a b')]).warning ?? '', /over 1 image\(s\) every weight is 0/);
    assert.match(cider([[[]], [[]]], [words('a'), words('b')]).warning ?? '', /no reference caption has a word left/);
  });
});

describe('ciderD', () => {
  it('is equal to cider on any captions, the empty one included: words and bigrams differ by one', () => {
    const references = [[words('a b c d'), words('a')], [words('e f g h'), []], [words('a a a b b'), words('c')]];
    const candidates = [words('a'), [], words('a b a b a b a b a b')];
    assert.deepEqual(ciderD(references, candidates).images, cider(references, candidates).images);
  });
});
