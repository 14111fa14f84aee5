import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Random, tensorCount, tf } from '../../lib/engine';
import { cosineWithWarmup, keptEpochs, loadKeptEpoch, meanLoss, train, type EpochRecord, type TrainOptions } from '../../lib/training';
import { closeTo } from '../close-to';
import { readEventFiles } from './event-files';
import { ToyNet, toyBatches, type ToyBatch } from './toy-regression';

const EXAMPLES = 40, SIZE = 8;
const batches = toyBatches(EXAMPLES, SIZE);

function setUp(more: Partial<TrainOptions<ToyBatch>> = {}) {
  const random = new Random(3);
  const model = new ToyNet(random);
  const options: TrainOptions<ToyBatch> = {
    model, loss: (batch) => model.loss(batch), batches, epochs: 4, optimizer: { learningRate: 0.01, weightDecay: 0.01 }, random, schedule: cosineWithWarmup(3),
    validate: async () => ({ valLoss: await meanLoss({ ...batches, stepsPerEpoch: 1 }, (batch) => model.loss(batch)) }),
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

  it('refuses to resume with other settings and says which, unless runs are not to be kept', async () => {
    await train(setUp({ folder, epochs: 1 }).options);
    await assert.rejects(train(setUp({ folder, config: { data: 'cosines' } }).options), /data: "sines" there, "cosines" now/);
    await assert.rejects(train(setUp({ folder, precision: 'bfloat16' }).options), /precision: undefined there, "bfloat16" now/);
    const anew = await train(setUp({ folder, config: { data: 'cosines' }, restartFinished: true }).options);
    assert.equal(anew.history.length, 4);
    await assert.rejects(train(setUp({ folder, config: { data: 'sines' } }).options), /data: "cosines" there, "sines" now/);
  });

  it('trains in bfloat16: near float32 and not the same, stopped and resumed bit-identical, and not resumed in float32', async () => {
    const [exact, whole] = [setUp(), setUp({ precision: 'bfloat16' })];
    const [{ history: [{ trainLoss }] }, { history: [first] }] = [await train(exact.options), await train(whole.options)];
    assert.notEqual(first.trainLoss, trainLoss);
    closeTo([first.trainLoss], [trainLoss], 0.01, 'loss of the first epoch');
    const before = tensorCount(), controller = new AbortController();
    const stop = { signal: controller.signal, onStep: ({ step }: { step: number }) => { if (step === 7) controller.abort(); } };
    await train(setUp({ folder, precision: 'bfloat16', ...stop }).options);
    await assert.rejects(train(setUp({ folder }).options), /precision: "bfloat16" there, undefined now/);
    const resumed = setUp({ folder, precision: 'bfloat16' });
    await train(resumed.options);
    assert.deepEqual(resumed.weights(), whole.weights());
    assert.equal(tensorCount(), before + 3 * 4, 'the parameters of three models');
  });

  it('stops when the metric has not improved for `patience` epochs', async () => {
    const { history, bestEpoch } = await train(setUp({ epochs: 10, patience: 2, validate: (epoch) => ({ valLoss: Math.abs(epoch - 3) }) }).options);
    assert.equal(history.length, 5);
    assert.equal(bestEpoch, 3);
  });

  describe('with evaluate', () => {
    type Evaluate = TrainOptions<ToyBatch>['evaluate'];
    const scored = (values: Record<number, number>, every = 2): Evaluate => ({ every, run: (epoch) => ({ CIDEr: values[epoch] }) });
    const recordsIn = (file: string) => fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as EpochRecord);
    const epochsWith = (history: readonly EpochRecord[]) => history.filter(({ metrics }) => 'CIDEr' in metrics).map(({ epoch }) => epoch);

    it('runs it after every n-th epoch and the last; record, history file and TensorBoard hold its metrics', async () => {
      const tensorBoard = path.join(folder, 'events'), modes: boolean[] = [];
      const { model, options } = setUp({ folder, tensorBoard, epochs: 5 });
      options.evaluate = { every: 2, run: async (epoch) => { modes.push(model.training); return { CIDEr: epoch / 4 }; } };
      const { history } = await train(options);
      assert.deepEqual(modes, [false, false, false]);
      assert.deepEqual(history.map(({ metrics }) => metrics.CIDEr), [undefined, 0.5, undefined, 1, 1.25]);
      assert.ok(history.every(({ metrics }) => metrics.valLoss > 0), 'validate goes on as ever');
      assert.deepEqual(recordsIn(path.join(folder, 'history.jsonl')), history);
      const { scalars } = readEventFiles(tensorBoard);
      assert.deepEqual(scalars['epoch/CIDEr'], [[10, 0.5], [20, 1], [25, 1.25]]);
      assert.equal(scalars['epoch/valLoss'].length, 5);
    });

    it('has the history on disk after a first epoch that is not measured', async () => {
      const file = path.join(folder, 'history.jsonl'), epochs: number[] = [];
      const { options } = setUp({ folder, epochs: 3, best: { metric: 'CIDEr', mode: 'max' }, evaluate: scored({ 2: 0.4, 3: 0.3 }) });
      const { history } = await train({ ...options, onEpoch: () => { epochs.push(recordsIn(file).length); } });
      assert.deepEqual([epochs, epochsWith(history)], [[1, 2, 3], [2, 3]]);
      assert.deepEqual(recordsIn(file), history);
    });

    it('chooses the best among the epochs that have the metric, and counts them alone for patience', async () => {
      const weights: number[][][] = [], { options, ...one } = setUp({ epochs: 20, best: { metric: 'CIDEr', mode: 'max' }, patience: 2 });
      const { history, bestEpoch } = await train({
        ...options, evaluate: scored({ 3: 0.5, 6: 0.7, 9: NaN, 12: 0.6, 15: 1 }, 3), onEpoch: () => { weights.push(one.weights()); },
      });
      assert.deepEqual([history.length, bestEpoch], [12, 6]);
      assert.deepEqual(one.weights(), weights[5]);
    });

    it('runs it where patience ends the training by another metric', async () => {
      const valLoss = [3, 2, 2.5, 2.5, 1];
      const validate = (epoch: number) => ({ valLoss: valLoss[epoch - 1] });
      const { history } = await train(setUp({ epochs: 9, patience: 2, validate, evaluate: scored({ 3: 1, 4: 1 }, 3) }).options);
      assert.deepEqual([history.length, epochsWith(history)], [4, [3, 4]]);
    });

    it('cut off in it and resumed, ends bit-identical; started anew, has its own history', async () => {
      const best = { metric: 'CIDEr', mode: 'max' } as const, values = { 2: 0.4, 4: 0.3, 5: 0.2 };
      const whole = setUp({ epochs: 5, best, evaluate: scored(values) }), { history, bestEpoch } = await train(whole.options);
      const cut: Evaluate = { every: 2, run: (epoch) => { if (epoch === 4) throw new Error('cut'); return { CIDEr: 0.4 }; } };
      const common = { folder, epochs: 5, best, checkpointSteps: 2 };
      await assert.rejects(train(setUp({ ...common, evaluate: cut }).options), /cut/);
      const file = path.join(folder, 'history.jsonl');
      fs.appendFileSync(file, '{"epoch":4,"trainLoss":9,"metrics":{"CIDEr":9},"seconds":1}\n{"epo'); // killed before the checkpoint
      const second = setUp({ ...common, evaluate: scored(values) }), resumed = await train(second.options);
      const curve = (records: readonly EpochRecord[]) => records.map(({ seconds, ...rest }) => rest);
      assert.deepEqual([curve(resumed.history), resumed.bestEpoch], [curve(history), bestEpoch]);
      assert.deepEqual(second.weights(), whole.weights());
      assert.deepEqual(epochsWith(resumed.history), [2, 4, 5]);
      assert.deepEqual(recordsIn(file), resumed.history);
      const anew = await train(setUp({ ...common, restartFinished: true, evaluate: scored({ 3: 0.1, 5: 0.2 }, 3) }).options);
      assert.deepEqual([epochsWith(anew.history), anew.bestEpoch], [[3, 5], 5]);
    });

    it('says when neither it nor validate has the metric', async () => {
      const options = { best: { metric: 'Bleu_4', mode: 'max' }, evaluate: { every: 2, run: () => ({ CIDEr: 1 }) } } as const;
      await assert.rejects(train(setUp(options).options), /"Bleu_4", but validate and evaluate returned valLoss, CIDEr/);
    });
  });

  it('runs steps as graphs, which changes nothing but the rounding; a loss that reads values back runs without, and the result says why', async () => {
    const [graphs, plain, reading] = [setUp(), setUp({ graphs: false }), setUp()];
    const { loss } = reading.options;
    reading.options.loss = (batch) => { batch.x.dataSync(); return loss(batch); };
    const results = [];
    for (const { options } of [graphs, plain, reading]) results.push(await train(options));
    assert.deepEqual(results.map(({ graphObstacle }) => graphObstacle), [undefined, 'it is not wanted', 'it reads values that it computed or was given']);
    closeTo(graphs.weights().flat(), plain.weights().flat(), 1e-6);
    assert.deepEqual(reading.weights(), plain.weights());
  });

  it('hands on what the loss measures, each batch', async () => {
    const seen: Record<string, number>[] = [], { model, options } = setUp({ epochs: 1, onMeasures: (measures) => seen.push(measures) });
    options.loss = (batch) => tf.tidy(() => ({ loss: model.loss(batch), measures: { rows: tf.scalar(batch.x.shape[0]), first: tf.sum(batch.x) } }) as never);
    await train(options);
    assert.deepEqual(seen.map(({ rows }) => rows), [8, 8, 8, 8, 8]);
    const expected = tf.tidy(() => seen.map((_, i) => tf.sum((batches.batch(batches.order(0), i) as ToyBatch).x).dataSync()[0]));
    closeTo(seen.map(({ first }) => first), expected, 1e-5);
  });

  it('stops at a loss that is not a number, naming step and batch, and leaves the last checkpoint', async () => {
    let calls = 0;
    const spoilt: typeof batches.batch = (order, index) => {
      const batch = batches.batch(order, index) as ToyBatch;
      return ++calls === 8 ? { ...batch, x: tf.mul(batch.x, NaN) } : batch;
    };
    await assert.rejects(train(setUp({ folder, batches: { ...batches, batch: spoilt } }).options), /NaN at step 8 \(epoch 2, batch 3\)/);
    assert.equal((await train(setUp({ folder }).options)).history.length, 4);
  });

  it('says when there is nothing to train or the metric is unknown', async () => {
    const { model, options } = setUp();
    await assert.rejects(train({ ...options, best: { metric: 'Bleu_4', mode: 'max' } }), /"Bleu_4", but validate returned valLoss/);
    model.freeze();
    await assert.rejects(train(options), /no trainable parameters/);
  });

  /** As `setUp` without dropout, in batches of `size` of which `accumulate` make an update. */
  function inParts(size: number, accumulate: number, more: Partial<TrainOptions<ToyBatch>> = {}) {
    return setUp({
      accumulate, batchWeight: ({ x }) => x.shape[0], validate: undefined, best: undefined, maxGradNorm: 1,
      batches: { ...toyBatches(EXAMPLES, size), order: () => batches.order(0) },
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
      const onStep: TrainOptions<ToyBatch>['onStep'] = ({ loss, gradientNorm, steps }) => {
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
    const { batch } = first.options.batches;
    // The eighth is asked for before the seventh is used.
    first.options.batches.batch = (order, index) => { if (++calls === 8) controller.abort(); return batch(order, index); };
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
    const onStep: TrainOptions<ToyBatch>['onStep'] = ({ step, loss }) => {
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

  it('keeps the weights of every n-th epoch for good; a run that goes on adds its own', async () => {
    const atEpoch: number[][][] = [];
    const one = setUp({ folder, keepEvery: 2, epochs: 5, onEpoch: () => { atEpoch.push(one.weights()); } });
    fs.mkdirSync(path.join(folder, '.epoch-4.1.tmp')); // what a killed run left
    await train(one.options);
    assert.deepEqual(keptEpochs(folder), [2, 4]);
    assert.deepEqual(fs.readdirSync(folder).filter((name) => name.startsWith('.')), []);
    await train(setUp({ folder, keepEvery: 3, epochs: 6 }).options); // goes on after epoch 5
    assert.deepEqual(keptEpochs(folder), [2, 4, 6]);
    const { model, weights } = setUp();
    for (const epoch of [4, 2]) {
      loadKeptEpoch(folder, epoch, model);
      assert.deepEqual(weights(), atEpoch[epoch - 1]);
    }
    assert.throws(() => loadKeptEpoch(folder, 3, model), /has no epoch 3; it has 2, 4, 6\. A run keeps every n-th with keepEvery/);
    assert.throws(() => loadKeptEpoch(path.join(folder, 'nowhere'), 3, model), /it has none/);
  });

  it('refuses numbers that make no sense', async () => {
    await assert.rejects(train(setUp({ accumulate: 1.5 }).options), /accumulate is 1.5: expected a whole number/);
    await assert.rejects(train(setUp({ maxGradNorm: 0 }).options), /maxGradNorm is 0/);
    await assert.rejects(train(setUp({ patience: 0 }).options), /patience is 0/);
    await assert.rejects(train(setUp({ patience: 2, best: undefined }).options), /name it in `best`/);
    await assert.rejects(train(setUp({ folder, keepEvery: 0.5 }).options), /keepEvery is 0.5/);
    await assert.rejects(train(setUp({ evaluate: { every: 0, run: () => ({}) } }).options), /evaluate\.every is 0: expected a whole number/);
    await assert.rejects(train(setUp({ keepEvery: 2 }).options), /give a folder/);
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
