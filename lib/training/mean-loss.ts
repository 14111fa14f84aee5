import { tf, yieldToEventLoop, type Tensor } from '../engine';
import type { BatchSource } from './trainer';

/** Mean of `loss` over all batches of an epoch, each weighted alike as in training; gives the loss and the batches free. */
export async function meanLoss<B extends object>(batches: BatchSource<B>, loss: (batch: B) => Tensor): Promise<number> {
  const order = batches.order(0);
  let sum = 0;
  for (let i = 0; i < batches.stepsPerEpoch; i++) {
    const batch = await batches.batch(order, i);
    try {
      const value = loss(batch);
      sum += value.dataSync()[0];
      value.dispose();
    } finally {
      tf.dispose(batch as never);
    }
    await yieldToEventLoop();
  }
  return sum / batches.stepsPerEpoch;
}
