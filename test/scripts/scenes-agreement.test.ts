import assert from 'node:assert/strict';
import { agreement } from '../../scripts/scenes/agreement';

describe('Agreement of the annotators of Scenes', () => {
  it('leaves room between one who looks and one who does not', () => {
    const { annotators, human, blind } = agreement('test');
    // Measured with pycocoevalcap 1.2 on the same captions: leave-one-out CIDEr of the five, and their mean.
    const measured = [2.656, 1.841, 2.432, 2.304, 2.339];
    annotators.forEach(({ cider }, k) => assert.ok(Math.abs(cider - measured[k]) < 6e-4, `annotator ${k}: ${cider}`));
    assert.ok(human.cider > 1.5 && human.cider < 2.5, `human CIDEr ${human.cider}`);
    assert.ok(human.bleu4 > 0.35 && human.bleu4 < 0.6, `human BLEU-4 ${human.bleu4}`);
    assert.ok(blind.cider < 0.4, `blind CIDEr ${blind.cider}: '${blind.caption}'`);
  });
});
