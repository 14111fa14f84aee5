/** Factors on the learning rate for `train`'s `schedule`; `step` counts updates from 0. */
export type Schedule = (step: number, steps: number) => number;

/** From 0 to 1 in `warmup` steps, then along half a cosine to 0. */
export const cosineWithWarmup = (warmup: number): Schedule => (step, steps) =>
  (step < warmup ? (step + 1) / warmup : 0.5 * (1 + Math.cos((Math.PI * (step - warmup)) / Math.max(1, steps - warmup))));

/** From 0 (the first step of a warmup) to 1 in `warmup` steps, then straight to 0: transformers' get_linear_schedule_with_warmup. */
export const linearWithWarmup = (warmup = 0): Schedule => (step, steps) =>
  (step < warmup ? step / Math.max(1, warmup) : Math.max(0, (steps - step) / Math.max(1, steps - warmup)));

/** A schedule as settings name it. */
export interface ScheduleSettings { shape: 'linear' | 'cosine'; warmupSteps: number }

export const scheduleOf = ({ shape, warmupSteps }: ScheduleSettings): Schedule =>
  (shape === 'linear' ? linearWithWarmup : cosineWithWarmup)(warmupSteps);
