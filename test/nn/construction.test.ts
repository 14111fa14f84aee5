import assert from 'node:assert/strict';
import { Random, tensorCount } from '../../lib/engine';
import { construct, Embedding, LayerNorm, Linear } from '../../lib/nn';

describe('construct', () => {
  const limits = { values: 1000, tensors: 10 };

  it('builds what fits, without a limit afterwards', () => {
    const before = tensorCount(), layer = construct(limits, () => new Linear(30, 30, new Random(1)));
    assert.deepEqual(layer.weight.shape, [30, 30]);
    layer.dispose();
    assert.equal(tensorCount(), before);
  });

  it('refuses a parameter before memory is asked for, and gives back those before it', () => {
    const before = tensorCount();
    const build = () => [new LayerNorm(8), new Linear(8, 8, new Random(1)), new Embedding(1_000_000, 1_000_000, new Random(1))];
    assert.throws(() => construct(limits, build),
      /a parameter of shape \[1000000, 1000000\] is too much.*check that config\.json and the weights belong together/);
    assert.equal(tensorCount(), before);
  });

  it('refuses layers without end', () => {
    const before = tensorCount();
    assert.throws(() => construct(limits, () => Array.from({ length: 100_000 }, () => new Linear(1, 1, new Random(1)))),
      /far larger network than the weights/);
    assert.equal(tensorCount(), before);
  });

  it('gives back what was made before any other error', () => {
    const before = tensorCount();
    assert.throws(() => construct(limits, () => { new Linear(2, 2, new Random(1)); throw new Error('no'); }), /^Error: no$/);
    assert.equal(tensorCount(), before);
  });
});
