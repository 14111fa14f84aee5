/**
 * A training run with all that a resume must restore: shuffling, dropout, a schedule, accumulation, clipping, a best checkpoint, kept epochs;
 * checkpoints after every update. As a program, it says each step and waits to be killed.
 */
import { Random } from '../../lib/engine';
import { linearWithWarmup, train, type EpochRecord, type TrainOptions } from '../../lib/training';
import { ToyNet, toyBatches, type ToyBatch } from './toy-regression';

/** Trains and returns the weights and the curve. */
export async function run(more: Partial<TrainOptions<ToyBatch>> = {}): Promise<{ weights: number[]; curve: Omit<EpochRecord, 'seconds'>[] }> {
  const random = new Random(5), model = new ToyNet(random);
  const weightsNow = (): number[] => model.parameters().flatMap((parameter) => Array.from(parameter.save()));
  const { history } = await train({
    model, random, batches: toyBatches(160, 4), epochs: 5, loss: (batch) => model.loss(batch), optimizer: { learningRate: 0.01, weightDecay: 0.01 },
    schedule: linearWithWarmup(4), accumulate: 3, maxGradNorm: 1, checkpointSteps: 1,
    // The best is neither the first nor the last.
    validate: (epoch) => ({ valLoss: Math.abs(epoch - 3) + Math.abs(weightsNow()[0]) / 100 }), best: { metric: 'valLoss', mode: 'min' },
    evaluate: { every: 2, run: () => ({ sum: weightsNow().reduce((a, b) => a + b, 0) }) },
    ...(more.folder !== undefined && { keepEvery: 2 }), ...more,
  });
  const weights = weightsNow();
  model.dispose();
  return { weights, curve: history.map(({ seconds, ...record }) => record) };
}

if (require.main === module) {
  const [, , folder, precision] = process.argv;
  void run({ folder, precision: precision as 'float32' | 'bfloat16', onStep: ({ step }) => { process.stdout.write(`step ${step}\n`); } });
}
