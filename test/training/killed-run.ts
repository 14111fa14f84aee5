/** A training run with dropout, accumulation and checkpoints after every update; as a program, it says each step and waits to be killed. */
import { Random } from '../../lib/engine';
import { linearWithWarmup, train, type TrainOptions } from '../../lib/training';
import { ToyNet, toyBatches, type ToyBatch } from './toy-regression';

/** Trains and returns the weights and the curve. */
export async function run(more: Partial<TrainOptions<ToyBatch>> = {}): Promise<{ weights: number[]; losses: number[] }> {
  const random = new Random(5), model = new ToyNet(random);
  const { history } = await train({
    model, random, batches: toyBatches(80, 4), epochs: 3, loss: (batch) => model.loss(batch), optimizer: { learningRate: 0.01, weightDecay: 0.01 },
    schedule: linearWithWarmup(4), accumulate: 3, maxGradNorm: 1, checkpointSteps: 1, ...more,
  });
  const weights = model.parameters().flatMap((parameter) => Array.from(parameter.save()));
  model.dispose();
  return { weights, losses: history.map(({ trainLoss }) => trainLoss) };
}

if (require.main === module) {
  const [, , folder, precision] = process.argv;
  void run({ folder, precision: precision as 'float32' | 'bfloat16', onStep: ({ step }) => { process.stdout.write(`step ${step}\n`); } });
}
