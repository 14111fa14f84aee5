/** A training run with dropout, accumulation and checkpoints after every update; as a program, it says each step and waits to be killed. */
import { Random, tf, type Scalar, type Tensor } from '../../lib/engine';
import { Dropout, Linear, Module } from '../../lib/nn';
import { linearWithWarmup, train, type BatchSource, type TrainOptions } from '../../lib/training';

interface Batch { x: Tensor }

class Net extends Module {
  readonly hidden: Linear;
  readonly out: Linear;
  private readonly dropout: Dropout;
  constructor(random: Random) {
    super();
    this.hidden = new Linear(6, 64, random);
    this.out = new Linear(64, 1, random);
    this.dropout = new Dropout(0.3, random);
  }

  loss({ x }: Batch): Scalar {
    return tf.tidy(() => {
      const y = this.out.forward(this.dropout.forward(tf.tanh(this.hidden.forward(x))));
      return tf.mean(tf.squaredDifference(y, tf.sum(x, 1, true))) as Scalar;
    });
  }
}

const batches: BatchSource<Batch> = {
  stepsPerEpoch: 20,
  order: (epoch) => new Random(epoch + 1).shuffle(Uint32Array.from({ length: 80 }, (_, i) => i)),
  batch: (order, index) => {
    const rows = Array.from(order.subarray(index * 4, index * 4 + 4), (i) => [1, 2, 3, 4, 5, 6].map((j) => Math.sin(i * j)));
    return { x: tf.tensor2d(rows) };
  },
};

/** Trains and returns the weights and the curve. */
export async function run(more: Partial<TrainOptions<Batch>> = {}): Promise<{ weights: number[]; losses: number[] }> {
  const random = new Random(5), model = new Net(random);
  const { history } = await train({
    model, random, batches, epochs: 3, loss: (batch) => model.loss(batch), optimizer: { learningRate: 0.01, weightDecay: 0.01 },
    schedule: linearWithWarmup(4), accumulate: 3, maxGradNorm: 1, checkpointSteps: 1, ...more,
  });
  const weights = model.parameters().flatMap((parameter) => Array.from(parameter.save()));
  model.dispose();
  return { weights, losses: history.map(({ trainLoss }) => trainLoss) };
}

if (require.main === module) {
  void run({ folder: process.argv[2], onStep: ({ step }) => { process.stdout.write(`step ${step}\n`); } });
}
