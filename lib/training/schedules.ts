/** Factors on the learning rate for `train`'s `schedule`; `step` counts from 0. */
export type Schedule = (step: number, steps: number) => number;

/** From 0 to 1 in `warmup` steps, then along half a cosine to 0. */
export const cosineWithWarmup = (warmup: number): Schedule => (step, steps) =>
  (step < warmup ? (step + 1) / warmup : 0.5 * (1 + Math.cos((Math.PI * (step - warmup)) / Math.max(1, steps - warmup))));
