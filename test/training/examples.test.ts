import assert from 'node:assert/strict';
import { Examples } from '../../lib/training/examples';

interface Named { name: string; ids: number[] }

const named = (name: string): Named => ({ name, ids: Array<number>(Number(name[1])).fill(0) });
const names = [['a1', 'a2', 'a7'], [], ['b1'], ['c1', 'c2']], groups = names.map((group) => group.map(named));
const namesOf = (examples: Examples<Named>, order: Uint32Array): string[] =>
  Array.from({ length: examples.stepsPerEpoch }, (_, i) => examples.batch(order, i)).flat().map(({ name }) => name);

describe('Examples', () => {
  it('without a seed stand in order; the last batch holds the rest', () => {
    const examples = new Examples(groups, { batchSize: 4 });
    assert.equal(examples.stepsPerEpoch, 2);
    assert.deepEqual(examples.batch(examples.order(7), 1).map(({ name }) => name), ['c1', 'c2']);
    assert.deepEqual(namesOf(examples, examples.order(0)), names.flat());
  });

  it('are shuffled by seed and epoch alone', () => {
    const [a, b] = [5, 5].map((seed) => new Examples(groups, { batchSize: 4, seed }));
    a.order(0);
    assert.deepEqual(a.order(4), b.order(4));
    assert.deepEqual(namesOf(a, a.order(4)).sort(), names.flat());
    const orders = new Set(Array.from({ length: 20 }, (_, epoch) => String(a.order(epoch))));
    assert.ok(orders.size > 15, `${orders.size} orders in 20 epochs`);
    assert.notDeepEqual(new Examples(groups, { batchSize: 4, seed: 6 }).order(4), a.order(4));
  });

  for (const seed of [undefined, 3]) {
    it(`one a group: each group once an epoch, every example has its turn, ${seed === undefined ? 'in order' : 'drawn'}`, () => {
      const examples = new Examples(groups, { batchSize: 2, seed, captionsPerEpoch: 'one' });
      assert.equal(examples.stepsPerEpoch, 2);
      const epochs = Array.from({ length: 30 }, (_, epoch) => namesOf(examples, examples.order(epoch)));
      for (const seen of epochs) assert.equal(seen.map(([group]) => group).sort().join(''), 'abc');
      assert.deepEqual([...new Set(epochs.flat())].sort(), names.flat());
    });
  }

  it('of a batch are padded to a multiple of four, but to no more than the longest of all', () => {
    const examples = new Examples(groups, { batchSize: 2 });
    for (const [name, length] of [['a1', 4], ['a2', 4], ['b4', 4], ['c5', 7]] as const) assert.equal(examples.paddedLength([named('b1'), named(name)]), length, name);
    assert.equal(new Examples([[named('a2')]], { batchSize: 2 }).paddedLength([named('a1')]), 2);
  });

  it('may be none', () => {
    assert.equal(new Examples([[], []], { batchSize: 2 }).isEmpty, true);
    assert.equal(new Examples(groups, { batchSize: 2 }).isEmpty, false);
  });
});
