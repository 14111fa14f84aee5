import assert from 'node:assert/strict';
import { Random } from '../../lib/engine';
import { BatchNorm2d, Conv2d, Embedding, Linear, Module, type Parameter } from '../../lib/nn';

/** Convolution, norm, and an embedding whose weight the head shares. */
class Small extends Module {
  readonly blocks: Module[];
  readonly embedding: Embedding;
  readonly head: { weight: Parameter } & Module;

  constructor() {
    super();
    const random = new Random(1);
    this.blocks = [new Conv2d(3, 4, random, { kernelSize: 5 }), new BatchNorm2d(4), new Conv2d(4, 4, random, { kernelSize: 3, depthwise: true, bias: true })];
    this.embedding = new Embedding(1000, 6, random);
    this.head = Object.assign(new Linear(6, 2, random, { bias: false }), { weight: this.embedding.weight });
  }
}

describe('Module.summary', () => {
  it('lists names, checkpoint shapes, counts and what is trainable; buffers and tied tensors do not count', () => {
    const model = new Small();
    model.blocks[0].freeze();
    const { rows, parameters, trainable, text } = model.summary();
    assert.deepEqual(rows, [
      { name: 'blocks.0.weight', shape: '4×3×5×5', count: 300, trainable: 'no' },
      { name: 'blocks.1.weight', shape: '4', count: 4, trainable: 'yes' },
      { name: 'blocks.1.bias', shape: '4', count: 4, trainable: 'yes' },
      { name: 'blocks.1.running_mean', shape: '4', count: 4, trainable: 'buffer' },
      { name: 'blocks.1.running_var', shape: '4', count: 4, trainable: 'buffer' },
      { name: 'blocks.2.weight', shape: '4×1×3×3', count: 36, trainable: 'yes' },
      { name: 'blocks.2.bias', shape: '4', count: 4, trainable: 'yes' },
      { name: 'embedding.weight', shape: '1000×6', count: 6000, trainable: 'yes' },
      { name: 'head.weight', shape: '1000×6', count: 0, trainable: 'tied' },
    ]);
    assert.equal(parameters, 6348);
    assert.equal(parameters, model.parameterCount());
    assert.equal(trainable, 6048);
    const lines = text.split('\n');
    assert.equal(lines[0], 'name                   shape    count  trainable');
    assert.match(lines[1], /^─{21}  ─{7}  ─{5}  ─{9}$/);
    assert.equal(lines[2], 'blocks.0.weight        4×3×5×5    300  no');
    assert.equal(lines.at(-1), 'Small: 6,348 parameters, 6,048 of them trainable');
    assert.equal(String(model.summary()), text);
    model.dispose();
  });

  it('adds up what lies under one path', () => {
    const model = new Small();
    model.blocks[0].freeze();
    assert.deepEqual(model.summary({ depth: 1 }).rows, [
      { name: 'blocks', shape: '', count: 348, trainable: 'partly' },
      { name: 'embedding.weight', shape: '1000×6', count: 6000, trainable: 'yes' },
      { name: 'head.weight', shape: '1000×6', count: 0, trainable: 'tied' },
    ]);
    assert.deepEqual(model.summary({ depth: 2 }).rows.map(({ name, count }) => [name, count]),
      [['blocks.0.weight', 300], ['blocks.1', 8], ['blocks.2', 40], ['embedding.weight', 6000], ['head.weight', 0]]);
    assert.throws(() => model.summary({ depth: 0 }), /at least 1/);
    model.dispose();
  });
});
