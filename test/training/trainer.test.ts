import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Random, tensorCount, tf, type Scalar, type Tensor } from '../../lib/engine';
import { Dropout, Linear, Module } from '../../lib/nn';
import { cosineWithWarmup, train, type BatchSource, type TrainOptions } from '../../lib/training';

interface Batch { x: Tensor; y: Tensor }

/** y = 2·sum(x) − 1, learnt through a hidden layer with dropout, so that a resume must also restore its randomness. */
class Net extends Module {
  readonly hidden: Linear;
  readonly out: Linear;
  private readonly dropout: Dropout;
  constructor(random: Random) {
    super();
    this.hidden = new Linear(4, 16, random);
    this.out = new Linear(16, 1, random);
    this.dropout = new Dropout(0.2, random);
  }
  loss({ x, y }: Batch): Scalar {
    return tf.tidy(() => tf.mean(tf.squaredDifference(this.out.forward(this.dropout.forward(tf.relu(this.hidden.forward(x)))), y)) as Scalar);
  }
}

const EXAMPLES = 40, SIZE = 8;
const batches: BatchSource<Batch> = {
  stepsPerEpoch: EXAMPLES / SIZE,
  order: (epoch) => new Random(100 + epoch).shuffle(Uint32Array.from({ length: EXAMPLES }, (_, i) => i)),
  batch: (order, index) => {
    const rows = Array.from(order.subarray(index * SIZE, (index + 1) * SIZE), (i) => Array.from({ length: 4 }, (_, j) => Math.sin(i * 4 + j)));
    return { x: tf.tensor2d(rows), y: tf.tensor2d(rows.map((row) => [2 * row.reduce((a, b) => a + b, 0) - 1])) };
  },
};

function setUp(more: Partial<TrainOptions<Batch>> = {}) {
  const random = new Random(3);
  const model = new Net(random);
  const options: TrainOptions<Batch> = {
    model, loss: (batch) => model.loss(batch), batches, epochs: 4, optimizer: { learningRate: 0.01, weightDecay: 0.01 }, random, schedule: cosineWithWarmup(3),
    validate: () => { const batch = batches.batch(batches.order(0), 0) as Batch; const loss = model.loss(batch); const valLoss = loss.dataSync()[0]; tf.dispose([loss, batch.x, batch.y]); return { valLoss }; },
    best: { metric: 'valLoss', mode: 'min' }, config: { data: 'sines' }, ...more,
  };
  return { model, options, weights: () => [...model.namedParameters()].map(([, p]) => Array.from(p.save())) };
}

describe('train', () => {
  let folder: string;
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'train-')); });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  it('lowers the loss and keeps the weights of the best epoch', async () => {
    const { options } = setUp({ epochs: 12 });
    const { history, bestEpoch } = await train(options);
    assert.equal(history.length, 12);
    assert.ok(history[11].trainLoss < history[0].trainLoss / 2, history.map((h) => h.trainLoss.toFixed(3)).join(' '));
    const losses = history.map((h) => h.metrics.valLoss);
    assert.equal(bestEpoch, losses.indexOf(Math.min(...losses)) + 1);
    assert.ok(Math.abs((await options.validate!(0)).valLoss - Math.min(...losses)) < 1e-6);
  });

  it('gives the same weights for the same seed', async () => {
    const [a, b] = [setUp(), setUp()];
    await train(a.options);
    await train(b.options);
    assert.deepEqual(a.weights(), b.weights());
  });

  for (const stopAt of [1, 5, 7, 13, 19]) {
    it(`stopped after step ${stopAt} and resumed, ends bit-identical to an uninterrupted run`, async () => {
      const whole = setUp();
      const { history } = await train(whole.options);
      const controller = new AbortController();
      const first = setUp({ folder, signal: controller.signal, onStep: ({ step }) => { if (step === stopAt) controller.abort(); } });
      assert.equal((await train(first.options)).interrupted, true);
      const second = setUp({ folder });
      const resumed = await train(second.options);
      assert.equal(resumed.interrupted, false);
      assert.deepEqual(second.weights(), whole.weights());
      assert.deepEqual(resumed.history.map(({ seconds, ...rest }) => rest), history.map(({ seconds, ...rest }) => rest));
    });
  }

  it('loads a finished run as it is, or trains anew if asked', async () => {
    const first = setUp({ folder });
    await train(first.options);
    let steps = 0;
    const again = setUp({ folder, onStep: () => { steps++; } });
    const loaded = await train(again.options);
    assert.equal(steps, 0);
    assert.equal(loaded.history.length, 4);
    assert.deepEqual(again.weights(), first.weights());
    await train(setUp({ folder, restartFinished: true, onStep: () => { steps++; } }).options);
    assert.equal(steps, 20);
  });

  it('refuses to resume with other settings and says which', async () => {
    await train(setUp({ folder, epochs: 1 }).options);
    await assert.rejects(train(setUp({ folder, config: { data: 'cosines' } }).options), /data: "sines" there, "cosines" now/);
  });

  it('stops when the metric has not improved for `patience` epochs', async () => {
    const { history, bestEpoch } = await train(setUp({ epochs: 10, patience: 2, validate: (epoch) => ({ valLoss: Math.abs(epoch - 3) }) }).options);
    assert.equal(history.length, 5);
    assert.equal(bestEpoch, 3);
  });

  it('stops at a loss that is not a number, naming step and batch, and leaves the last checkpoint', async () => {
    let calls = 0;
    const { model, options } = setUp({ folder });
    options.loss = (batch) => (++calls === 8 ? tf.tidy(() => tf.mul(model.loss(batch), NaN) as Scalar) : model.loss(batch));
    await assert.rejects(train(options), /NaN at step 8 \(epoch 2, batch 3\)/);
    assert.equal((await train(setUp({ folder }).options)).history.length, 4);
  });

  it('says when there is nothing to train or the metric is unknown', async () => {
    const { model, options } = setUp();
    await assert.rejects(train({ ...options, best: { metric: 'Bleu_4', mode: 'max' } }), /"Bleu_4", but validate returned valLoss/);
    model.freeze();
    await assert.rejects(train(options), /no trainable parameters/);
  });

  it('leaves no tensor behind', async () => {
    const { model, options } = setUp();
    const before = tensorCount();
    await train(options);
    await assert.rejects(train({ ...options, loss: () => { throw new Error('broken'); } }), /broken/);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(tensorCount(), before);
    model.dispose();
  });
});
