/** Training steps by the library's own loop in turns with PyTorch's, from the same weights on the same batches. */
import type { Scalar, TrainOptions } from '../../lib';
import { peakMemory, resetPeakMemory } from '../../scripts/peak-memory';
import { captioning } from './library';
import type { Peer } from './peer';
import { row, type Row } from './results';
import { clock, type Time } from './turns';

const { tf, train } = captioning;

/** What a side's steps gave; the peak in bytes. */
interface Steps { losses: number[]; times: Time[]; peak: number }

export interface SideBySide<B extends object> {
  work: string;
  target?: number;
  /** Rounds that count; one before them warms up. */
  rounds: number;
  /** Steps of a side's turn. */
  steps: number;
  training: Omit<TrainOptions<B>, 'batches' | 'epochs' | 'onStep' | 'loss'> & { loss: (batch: B) => Scalar };
  /** The batch of a step, the first being 0: the same one whenever it is asked for. Disposed afterwards. */
  batch: (step: number) => B | Promise<B>;
  /** With harness/training.py's functions. */
  peer: Peer | undefined;
  /** A batch as the peer's `read` takes it; the number tells batches of a turn apart. */
  write: (batch: B, place: number) => object;
}

/** A row of times and peak memory. @throws where the sides' losses of the first batch, dropout aside, are not the same */
export async function trainSideBySide<B extends object>(options: SideBySide<B>): Promise<Row> {
  const { work, target, rounds, steps, training, batch, peer, write } = options;
  const theirs: Steps = { losses: [], times: [], peak: 0 };
  const first = peer && await sameLoss(options, peer);
  const ours = await trainInTurns(training, rounds, steps, batch, async (round) => {
    if (!peer) return;
    const batches: object[] = [];
    for (let i = 0; i < steps; i++) {
      const one = await batch(round * steps + i);
      batches.push(write(one, i));
      tf.dispose(one as never);
    }
    const turn = await peer.ask<Steps>('train', { batches });
    theirs.losses.push(...turn.losses);
    theirs.peak = Math.max(theirs.peak, turn.peak);
    if (round > 0) theirs.times.push(...turn.times);
  });
  const course = ({ losses }: Steps) => `${losses[0].toFixed(3)} at first, ${losses.at(-1)!.toFixed(3)} after ${losses.length} steps`;
  const same = peer && `${first}; in training ${course(ours)}, there ${course(theirs)}`;
  return row({ work, against: 'PyTorch', target, same }, ours, peer && theirs);
}

/** Says what the losses of the first batch are. */
async function sameLoss<B extends object>({ training: { model, loss }, batch, write }: SideBySide<B>, peer: Peer): Promise<string> {
  model.eval();
  const first = await batch(0), own = loss(first), mine = own.dataSync()[0];
  const other = await peer.ask<number>('evaluate', { batch: write(first, 0) });
  tf.dispose([own, first as never]);
  if (!(Math.abs(mine - other) <= 1e-4 * Math.abs(other))) {
    throw new Error(`The sides do not do the same work: the first batch's loss is ${mine} here, ${other} there.`);
  }
  return `loss of the first batch without dropout ${mine.toFixed(5)}, there ${other.toFixed(5)}`;
}

/** `train` asks for a batch before the step that precedes it; the first of a round comes when that has ended and others had their turn. */
async function trainInTurns<B extends object>(
  training: SideBySide<B>['training'], rounds: number, steps: number, batch: SideBySide<B>['batch'],
  others: (round: number) => Promise<void>,
): Promise<Steps> {
  const result: Steps = { losses: [], times: [], peak: 0 }, read = clock();
  let turn = Promise.resolve(), ended = (): void => {};
  const batches = {
    stepsPerEpoch: (rounds + 1) * steps,
    order: () => new Uint32Array(),
    batch: async (_: Uint32Array, index: number): Promise<B> => {
      if (index % steps) return batch(index);
      await turn;
      turn = new Promise((resolve) => { ended = resolve; });
      if (index > 0) await others(index / steps - 1);
      const first = await batch(index);
      resetPeakMemory();
      read();
      return first;
    },
  };
  await train<B>({
    ...training, batches, epochs: 1,
    onStep: ({ step, loss }) => {
      const time = read();
      result.losses.push(loss);
      if (step > steps) result.times.push(time);
      if (step % steps) return;
      result.peak = Math.max(result.peak, peakMemory());
      console.log(`step ${step}: loss ${loss.toFixed(3)}, ${time.wall.toFixed(2)} s`);
      ended();
    },
  });
  await others(rounds);
  return result;
}
