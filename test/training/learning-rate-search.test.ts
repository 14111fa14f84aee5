import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Random, tensorCount, tf, type Scalar, type Tensor } from '../../lib/engine';
import { Linear } from '../../lib/nn';
import { learningRateSearch, train, type LearningRateSearchOptions, type TrainOptions } from '../../lib/training';

const x = tf.tensor2d(Array.from({ length: 24 }, (_, i) => Math.sin(i)), [8, 3]);
const y = tf.mul(tf.sum(x, 1, true), 3);
const loss = (model: Linear): Scalar => tf.tidy(() => tf.mean(tf.squaredDifference(model.forward(x), y)) as Scalar);

let steps = 0, signal: AbortSignal | undefined, evaluate: TrainOptions<object>['evaluate'];
const options = (more: Partial<LearningRateSearchOptions<Linear>> = {}): LearningRateSearchOptions<Linear> => ({
  rates: [1e-3, 0.3, 1e-2],
  build: () => new Linear(3, 1, new Random(4)),
  train: (model, learningRate, folder) => train<{ x: Tensor }>({
    model, folder, signal, evaluate, random: new Random(1), epochs: 3,
    loss: () => (learningRate > 100 ? tf.tidy(() => tf.mul(loss(model), steps > 4 ? NaN : 1) as Scalar) : loss(model)),
    batches: { stepsPerEpoch: 4, order: () => new Uint32Array(4), batch: () => ({ x: tf.scalar(0) }) }, optimizer: { learningRate },
    validate: () => { const value = loss(model); try { return { valLoss: value.dataSync()[0] }; } finally { value.dispose(); } },
    best: { metric: 'valLoss', mode: 'min' }, onStep: () => { steps++; },
  }),
  best: { metric: 'valLoss', mode: 'min' },
  ...more,
});

describe('learningRateSearch', () => {
  let folder: string, before: number;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'search-'));
    steps = 0;
    signal = evaluate = undefined;
    before = tensorCount();
  });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  it('keeps every history, names the best rate and hands over its model alone', async () => {
    const seen: number[] = [];
    const { runs, best, model, interrupted } = await learningRateSearch(options({ onRun: ({ learningRate }) => seen.push(learningRate) }));
    assert.deepEqual([seen, runs.map(({ learningRate }) => learningRate)], [[1e-3, 0.3, 1e-2], [1e-3, 0.3, 1e-2]]);
    assert.deepEqual(runs.map(({ history }) => history.length), [3, 3, 3]);
    assert.equal(best.learningRate, 0.3);
    assert.equal(best.value, Math.min(...runs.map((run) => run.value!)));
    assert.equal(best.value, best.history[best.epoch! - 1].metrics.valLoss);
    const final = loss(model);
    assert.ok(Math.abs(final.dataSync()[0] - best.value) < 1e-6);
    final.dispose();
    assert.equal(interrupted, false);
    model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('goes on where it was stopped: each rate has a folder', async () => {
    const controller = new AbortController();
    signal = controller.signal;
    const stop: LearningRateSearchOptions<Linear>['onRun'] = ({ learningRate }) => { if (learningRate === 1e-3) controller.abort(); };
    const first = await learningRateSearch(options({ folder, onRun: stop }));
    assert.equal(first.interrupted, true);
    assert.deepEqual(first.runs.map(({ history }) => history.length), [3, 0]);
    assert.equal(first.best.learningRate, 1e-3);
    first.model.dispose();
    signal = undefined;
    const second = await learningRateSearch(options({ folder }));
    assert.equal(steps, 36, 'no step was done twice');
    assert.deepEqual(fs.readdirSync(folder).sort(), ['lr-1e-2', 'lr-1e-3', 'lr-3e-1']);
    const whole = await learningRateSearch(options());
    assert.deepEqual(second.runs.map(({ value }) => value), whole.runs.map(({ value }) => value));
    second.model.dispose();
    whole.model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('compares by a metric that only some epochs have', async () => {
    let scores = [1, 2, 3, 4, 9, 8];
    evaluate = { every: 2, run: () => ({ CIDEr: scores.shift()! }) }; // epochs 2 and 3 of each rate
    const best = { metric: 'CIDEr', mode: 'max' } as const;
    const { runs, best: { learningRate, epoch }, model } = await learningRateSearch(options({ best }));
    assert.deepEqual(runs.map(({ value }) => value), [2, 4, 9]);
    assert.deepEqual([learningRate, epoch], [1e-2, 2]);
    model.dispose();
    // A run that is stopped before it has the metric has no value, which is no mistake.
    const controller = new AbortController();
    signal = controller.signal;
    scores = [1, 2];
    const stop: LearningRateSearchOptions<Linear>['onRun'] = () => { controller.abort(); };
    const stopped = await learningRateSearch(options({ best, onRun: stop }));
    assert.deepEqual(stopped.runs.map(({ value }) => value), [2, undefined]);
    stopped.model.dispose();
    assert.equal(tensorCount(), before);
  });

  it('counts a rate that diverges as failed', async () => {
    const { runs, best, model } = await learningRateSearch(options({ rates: [500, 0.3] }));
    assert.match(runs[0].error!, /loss became NaN at step 6/);
    assert.deepEqual([runs[0].history.length, runs[0].value, best.learningRate], [1, undefined, 0.3]);
    model.dispose();
    await assert.rejects(learningRateSearch(options({ rates: [500] })), /loss became NaN/);
    assert.equal(tensorCount(), before);
  });

  it('says what is wrong with rates and criterion, and disposes what it built', async () => {
    await assert.rejects(learningRateSearch(options({ rates: [] })), /no learning rate/);
    await assert.rejects(learningRateSearch(options({ rates: [0.1, -1] })), /above 0, each once, not -1/);
    await assert.rejects(learningRateSearch(options({ rates: [0.1, 0.1] })), /each once, not 0.1/);
    const unknown = learningRateSearch(options({ best: { metric: 'CIDEr', mode: 'max' } }));
    await assert.rejects(unknown, /compare "CIDEr", but the runs have trainLoss, valLoss/);
    assert.equal(tensorCount(), before);
  });
});
