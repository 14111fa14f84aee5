import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Random, tensorCount, tf, type Scalar } from '../../lib/engine';
import { DivergedError, train, type TrainOptions } from '../../lib/training';
import { findCheckpoint, readState } from '../../lib/training/checkpoint';
import { ToyNet, toyBatches, type ToyBatch } from './toy-regression';

const batches = toyBatches(40, 8);

function setUp(more: Partial<TrainOptions<ToyBatch>> = {}) {
  const random = new Random(3), model = new ToyNet(random);
  const loss = (batch: ToyBatch): Scalar => model.loss(batch);
  const options: TrainOptions<ToyBatch> = { model, loss, batches, epochs: 3, optimizer: { learningRate: 0.01 }, random, ...more };
  return { model, options };
}

/** The message of the training's end, which leaves no tensor behind but the weights. */
async function failure({ model, options }: ReturnType<typeof setUp>): Promise<string> {
  const before = tensorCount();
  const told = (error: Error): string => (error instanceof DivergedError ? error.message : String(error));
  const message = await train(options).then(() => 'none', told);
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.equal(tensorCount(), before);
  assert.deepEqual(Object.getOwnPropertyNames(model).filter((name) => name === 'loss'), [], 'watched layers are as they were');
  model.dispose();
  return message;
}

/** The eighth batch asked for is changed. */
function spoilt(change: (batch: ToyBatch) => ToyBatch): typeof batches {
  let calls = 0;
  return { ...batches, batch: (order, index) => {
    const batch = batches.batch(order, index) as ToyBatch;
    return ++calls === 8 ? change(batch) : batch;
  } };
}

describe('a training whose numbers are not finite', () => {
  let folder: string;
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'diverged-')); });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });
  const lastStep = () => readState(findCheckpoint(folder, 'last')!).step;

  it('names the batch that is not', async () => {
    const nan = (batch: ToyBatch): ToyBatch => ({ x: tf.tidy(() => tf.mul(batch.x, NaN)), y: (batch.x.dispose(), batch.y) });
    const message = await failure(setUp({ batches: spoilt(nan), folder, checkpointSteps: 1 }));
    assert.match(message, /^The loss became NaN at step 8 \(epoch 2, batch 3\)\. Not finite in the batch itself: x\. Mend .*untouched\.$/);
    assert.equal(lastStep(), 7);
  });

  it('names the layer whose output is the first that is not', async () => {
    // x² is beyond float32, x is not.
    const large = (batch: ToyBatch): ToyBatch => ({ x: tf.fill(batch.x.shape, 3e38), y: (batch.x.dispose(), batch.y) });
    for (const [graphs, precision] of [[true, 'float32'], [false, 'float32'], [true, 'bfloat16'], [false, 'bfloat16']] as const) {
      const run = setUp({ batches: spoilt(large), graphs, precision });
      run.model.hidden.weight.assign(tf.fill([16, 4], 10));
      const expected = /^The loss became (NaN|Infinity) at step 8 .* first not to be finite is the output of hidden \(Linear, forward\)\./;
      assert.match(await failure(run), expected);
    }
  });

  /** A loss that is finite where its gradient is not: √ at 0, for one batch. */
  const steep = (model: ToyNet) => (batch: ToyBatch): Scalar => tf.tidy(() => {
    const zero = tf.mul(tf.sum(model.out.weight.tensor), tf.sub(1, tf.max(tf.abs(batch.y)).greater(tf.scalar(1e-9)).cast('float32')));
    return tf.add(model.loss(batch), tf.sqrt(tf.abs(zero))) as Scalar;
  });

  it('with clipping names the parameters whose gradients are not, before the weights are changed', async () => {
    const run = setUp({ maxGradNorm: 1, folder, checkpointSteps: 1 });
    run.options.loss = steep(run.model);
    const message = await failure(run);
    assert.match(message, /^The norm of the gradients became NaN at step 1 \(epoch 1, batch 1\)\./);
    assert.match(message, /All layers' outputs are finite, the gradients of out\.weight are not\./);
    assert.equal(fs.existsSync(path.join(folder, 'last.json')), false);
  });

  it('without clipping saves no weights that are not, and names them', async () => {
    const run = setUp({ folder, checkpointSteps: 1 }), good = run.options.loss, bad = steep(run.model);
    let calls = 0;
    run.options.graphs = false;
    run.options.loss = (batch) => (++calls === 4 ? bad(batch) : good(batch));
    assert.match(await failure(run), /^The weights out\.weight are not finite after step 4 \(epoch 1, batch 4\): their gradients were not/);
    assert.equal(lastStep(), 3);
    // Between two checkpoints the next loss tells.
    const later = setUp(), [first, second] = [later.options.loss, steep(later.model)];
    calls = 0;
    later.options.graphs = false;
    later.options.loss = (batch) => (++calls === 4 ? second(batch) : first(batch));
    assert.match(await failure(later), /^The loss became NaN at step 5 .* Not finite since an update before: the weights out\.weight,/);
  });
});
