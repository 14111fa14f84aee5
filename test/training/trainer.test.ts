import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Random, tensorCount, tf, type Scalar, type Tensor } from '../../lib/engine';
import { Dropout, Linear, Module } from '../../lib/nn';
import { cosineWithWarmup, train, type BatchSource, type TrainOptions } from '../../lib/training';
import { closeTo } from '../close-to';
import { readEventFiles } from './event-files';

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

  /** As `setUp` without dropout, in batches of `size` of which `accumulate` make an update. */
  function inParts(size: number, accumulate: number, more: Partial<TrainOptions<Batch>> = {}) {
    const order = batches.order(0);
    const rows = (batch: Batch) => batch.x.shape[0];
    return setUp({
      accumulate, batchWeight: rows, validate: undefined, best: undefined, maxGradNorm: 1,
      batches: {
        stepsPerEpoch: Math.ceil(EXAMPLES / size),
        order: () => order,
        batch: (_, index) => {
          const examples = Array.from(order.subarray(index * size, (index + 1) * size));
          const values = examples.map((i) => Array.from({ length: 4 }, (__, j) => Math.sin(i * 4 + j)));
          return { x: tf.tensor2d(values), y: tf.tensor2d(values.map((row) => [2 * row.reduce((a, b) => a + b, 0) - 1])) };
        },
      },
      ...more,
    });
  }
  const withoutDropout = ({ model, options }: ReturnType<typeof setUp>): void => {
    options.loss = (batch) => { model.eval(); return model.loss(batch); };
  };

  it('several batches to an update are one big batch, in losses and weights, the smaller last batch included', async () => {
    const losses: number[][] = [], weights: number[][] = [], norms: number[][] = [];
    for (const [size, accumulate] of [[15, 1], [5, 3]]) { // 40 examples: 15, 15, 10, or 5 × 8 as 3 + 3 + 2 batches
      const seen: number[] = [], lengths: number[] = [];
      const onStep: TrainOptions<Batch>['onStep'] = ({ loss, gradientNorm, steps }) => {
        seen.push(loss);
        lengths.push(gradientNorm!);
        assert.equal(steps, 12);
      };
      const run = inParts(size, accumulate, { onStep });
      withoutDropout(run);
      const before = tensorCount();
      const { history } = await train(run.options);
      assert.equal(tensorCount(), before);
      losses.push([...seen, ...history.map(({ trainLoss }) => trainLoss)]);
      norms.push(lengths);
      weights.push(run.weights().flat());
    }
    assert.equal(losses[0].length, 16);
    closeTo(losses[1], losses[0], 1e-5);
    closeTo(norms[1], norms[0], 1e-5);
    closeTo(weights[1], weights[0], 1e-5);
  });

  it('a group that ends with a shorter batch weighs its rows alike', async () => {
    const weights: number[][] = [];
    for (const [size, accumulate] of [[40, 1], [16, 3]]) { // 16 + 16 + 8
      const run = inParts(size, accumulate);
      withoutDropout(run);
      await train(run.options);
      weights.push(run.weights().flat());
    }
    closeTo(weights[1], weights[0], 1e-5);
  });

  it('stopped inside an update and resumed, ends bit-identical', async () => {
    const whole = inParts(SIZE, 3);
    await train(whole.options);
    const controller = new AbortController();
    let calls = 0;
    const first = inParts(SIZE, 3, { folder, signal: controller.signal });
    const { loss } = first.options;
    first.options.loss = (batch) => { if (++calls === 7) controller.abort(); return loss(batch); };
    assert.equal((await train(first.options)).interrupted, true);
    const second = inParts(SIZE, 3, { folder });
    await train(second.options);
    assert.deepEqual(second.weights(), whole.weights());
    await assert.rejects(train(inParts(SIZE, 2, { folder }).options), /accumulate: 3 there, 2 now/);
  });

  it('writes TensorBoard events by step and by epoch; a resume takes over from its step', async () => {
    const tensorBoard = path.join(folder, 'events'), controller = new AbortController();
    const common = { folder: path.join(folder, 'run'), tensorBoard, maxGradNorm: 0.5 };
    const losses: number[] = [];
    const onStep: TrainOptions<Batch>['onStep'] = ({ step, loss }) => {
      losses.push(loss);
      if (step === 7) controller.abort();
    };
    await train(setUp({ ...common, signal: controller.signal, onStep }).options);
    const { history } = await train(setUp({ ...common, onStep }).options);
    await train(setUp(common).options); // a finished run writes nothing
    const { starts, scalars } = readEventFiles(tensorBoard);
    assert.deepEqual(starts, [1, 8]);
    assert.deepEqual(scalars['train/loss'], losses.map((loss, i) => [i + 1, Math.fround(loss)]));
    assert.deepEqual(scalars['train/learning_rate'].slice(0, 3), [1, 2, 3].map((step) => [step, Math.fround(0.01 * step / 3)]));
    assert.ok(scalars['train/gradient_norm'].length === 20 && scalars['train/gradient_norm'].every(([, norm]) => norm > 0));
    assert.deepEqual(scalars['epoch/valLoss'], history.map(({ metrics }, i) => [(i + 1) * 5, Math.fround(metrics.valLoss)]));
    assert.deepEqual(scalars['epoch/trainLoss'], history.map(({ trainLoss }, i) => [(i + 1) * 5, Math.fround(trainLoss)]));
  });

  it('refuses numbers that make no sense', async () => {
    await assert.rejects(train(setUp({ accumulate: 1.5 }).options), /accumulate is 1.5: expected a whole number/);
    await assert.rejects(train(setUp({ maxGradNorm: 0 }).options), /maxGradNorm is 0/);
    await assert.rejects(train(setUp({ patience: 0 }).options), /patience is 0/);
    await assert.rejects(train(setUp({ patience: 2, best: undefined }).options), /name it in `best`/);
    await assert.rejects(train(setUp({ accumulate: 2, batchWeight: () => 0 }).options), /batchWeight gave 0/);
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
