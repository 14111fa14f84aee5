import { GraphFunction, tf, valueAndGradients, type Scalar, type Tensor } from '../engine';
import type { Adam } from './adam';
import { clipFactor, disposeGradients, gradientNorm, GradientSum } from './gradients';

/** A batch's loss, and what else is measured on it, by name. */
export interface MeasuredLoss { loss: Scalar; measures: Record<string, Scalar> }

export interface UpdateOptions<B> {
  loss: (batch: B) => Scalar | MeasuredLoss;
  /** How much a batch counts beside the others of its update; without it all count alike. */
  weight?: (batch: B) => number;
  maxGradNorm?: number;
  /** Batches to an update; default 1. */
  accumulate?: number;
  /** Tensors that `loss` reads beside the batch and the optimizer's parameters. */
  state?: () => readonly Tensor[];
  /** Whether loss and gradients are computed by graphs (`GraphFunction`). */
  graphs?: boolean;
}

/** A batch and its weight, where batches have one. */
type Weighted<B> = { batch: B; weight?: Scalar };

/** One update of the weights from the mean loss of one or more batches. */
export class Update<B extends object> {
  private readonly sum = new GradientSum();
  private lossSum = 0;
  private weightSum = 0;
  /** Of the gradients, where there is one batch to an update: it is computed while they are at hand. */
  private norm: number | undefined;
  private measureNames: string[] = [];
  private readonly lossAndGradients: GraphFunction<Weighted<B>>;

  constructor(private readonly optimizer: Adam, private readonly options: UpdateOptions<B>) {
    const parameters = () => optimizer.parameters.map(({ tensor }) => tensor);
    const run = (weighted: Weighted<B>) => this.differentiate(weighted, parameters());
    this.lossAndGradients = new GraphFunction(run, () => [...parameters(), ...(options.state?.() ?? [])]);
    if (options.graphs === false) this.lossAndGradients.obstacle = 'it is not wanted';
  }

  /** Why loss and gradients are computed without graphs; undefined while they are computed by them. */
  get graphObstacle(): string | undefined { return this.lossAndGradients.obstacle; }

  /** Adds a batch's loss and gradients; returns the loss and the measures. A loss that is not finite is added to nothing. */
  add(batch: B): { loss: number; measures: Record<string, number> } {
    const weight = this.options.weight?.(batch);
    if (weight !== undefined && !(weight > 0 && Number.isFinite(weight))) throw new Error(`batchWeight gave ${weight}: expected a number above 0.`);
    const weighted = { batch, weight: weight === undefined ? undefined : tf.scalar(weight) };
    let results: (Tensor | null)[];
    try { results = this.lossAndGradients.run(weighted); } finally { weighted.weight?.dispose(); }
    const names = this.measureNames, count = 1 + names.length + (this.hasNorm ? 1 : 0);
    const scalars = results.slice(0, count) as Scalar[], gradients = results.slice(count);
    const [loss, ...others] = scalars.map((scalar) => scalar.dataSync()[0]);
    tf.dispose(scalars);
    const measures = Object.fromEntries(names.map((name, i) => [name, others[i]]));
    if (!Number.isFinite(loss)) { disposeGradients(gradients); return { loss, measures }; }
    this.norm = this.hasNorm ? others[names.length] : undefined;
    this.sum.add(gradients);
    this.lossSum += loss;
    this.weightSum += weight ?? 1;
    return { loss: loss / (weight ?? 1), measures };
  }

  private get hasNorm(): boolean { return this.options.maxGradNorm !== undefined && (this.options.accumulate ?? 1) === 1; }

  /** The weighted loss, the measures in the order of `measureNames`, the norm (`hasNorm`), and the gradient of each parameter. */
  private differentiate({ batch, weight }: Weighted<B>, parameters: readonly Tensor[]): (Tensor | null)[] {
    let measured: Scalar[] = [];
    const { value, gradients } = valueAndGradients(() => {
      const result = this.options.loss(batch), { loss, measures } = 'measures' in result ? result : { loss: result, measures: {} };
      this.measureNames = Object.keys(measures);
      measured = Object.values(measures).map((scalar) => tf.keep(scalar));
      return weight ? tf.mul(loss, weight) : loss;
    }, parameters);
    return [value, ...measured, ...(this.hasNorm ? [gradientNorm(gradients)] : []), ...gradients];
  }

  /**
   * Changes the weights by what was added; returns the mean loss, and the gradients' norm before clipping where they are clipped.
   * `checkNorm` sees the norm while it can still keep the weights from being changed, by throwing.
   */
  apply(checkNorm: (norm: number) => void = () => {}): { loss: number; gradientNorm?: number } {
    const { maxGradNorm } = this.options;
    const loss = this.lossSum / this.weightSum, gradients = this.sum.take();
    let factor = 1 / this.weightSum, norm: number | undefined;
    this.lossSum = this.weightSum = 0;
    if (maxGradNorm !== undefined) {
      norm = (this.norm ?? normOf(gradients)) * factor;
      this.norm = undefined;
      try { checkNorm(norm); } catch (error) { disposeGradients(gradients); throw error; }
      factor *= clipFactor(norm, maxGradNorm);
    }
    this.optimizer.step(gradients, factor);
    return { loss, ...(norm !== undefined && { gradientNorm: norm }) };
  }

  /** Forgets what was added. */
  reset(): void {
    this.sum.dispose();
    this.lossSum = this.weightSum = 0;
  }

  /** Gives free what it holds. */
  dispose(): void {
    this.reset();
    this.lossAndGradients.dispose();
  }
}

function normOf(gradients: readonly (Tensor | null)[]): number {
  const norm = gradientNorm(gradients);
  try { return norm.dataSync()[0]; } finally { norm.dispose(); }
}
