// What all pretraining runs share: the library's training loop with AdamW, warmup and a cosine, checkpoints under runs/, lines of progress.
import type { Random, Scalar } from '../../lib/engine';
import type { Module } from '../../lib/nn';
import { inProject } from '../../lib/project';
import { type BatchSource, cosineWithWarmup, train } from '../../lib/training';

export interface PretrainOptions<B extends object> {
  /** Folder under weights/; the run's own is runs/pretrain-NAME. */
  name: string;
  model: Module;
  random: Random;
  /** What must agree for a run to be gone on with. */
  config: Record<string, unknown>;
  epochs: number;
  learningRate: number;
  weightDecay: number;
  checkpointSteps?: number;
  batches: BatchSource<B>;
  loss(batch: B): Scalar;
  /** `loss` of it chooses the best epoch. */
  validate(): Record<string, number>;
}

/** Trains, or goes on where a former run was cut; the model holds the best epoch's weights afterwards. */
export async function pretrain<B extends object>({
  name,
  learningRate,
  weightDecay,
  checkpointSteps = 100,
  ...options
}: PretrainOptions<B>): Promise<void> {
  const result = await train<B>({
    ...options,
    checkpointSteps,
    optimizer: { learningRate, weightDecay },
    schedule: cosineWithWarmup(100),
    folder: inProject('runs', `pretrain-${name}`),
    best: { metric: 'loss', mode: 'min' },
    onStep: ({ step, steps, loss }) => {
      if (step % 50 === 0) console.log(`step ${step}/${steps} loss ${loss.toFixed(3)}`);
    },
    onEpoch: ({ epoch, trainLoss, metrics, seconds }) =>
      console.log(`epoch ${epoch}: train ${trainLoss.toFixed(3)} ${JSON.stringify(metrics)} ${seconds.toFixed(0)} s`),
  });
  const minutes = result.history.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  console.log(`best epoch ${result.bestEpoch}, ${minutes.toFixed(1)} minutes in all`);
}
