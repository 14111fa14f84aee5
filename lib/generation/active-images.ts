import type { GenerationPlan } from './generation-plan';
import type { StepDecoder } from './step-decoder';

/** Dropping rows copies the others' state, about what a step costs: worth it once so few of them are left. */
const WORTH_LEAVING = 0.75;

/** The images for which a search still goes on: those for which it has ended leave the decoder's rows, several at a time. */
export class ActiveImages {
  /** Places among the images that the search began with. */
  images: readonly number[];
  private narrowed: (StepDecoder & { dispose(): void }) | undefined;

  /** @param plan of all images at first, then of those that are left */
  constructor(public plan: GenerationPlan) { this.images = [...plan.prompts.keys()]; }

  /**
   * Leaves out the images that have ended if they are enough and the decoder can go on without them.
   *
   * @returns places of those that stay among the former ones; undefined where all stay
   */
  leave(hasEnded: (image: number) => boolean): number[] | undefined {
    const { images, plan: { decoder, prompts, padding } } = this;
    const staying = [...images.keys()].filter((place) => !hasEnded(images[place]));
    if (!decoder.select || staying.length === 0 || staying.length > WORTH_LEAVING * images.length) return undefined;
    const selected = decoder.select(Int32Array.from(staying));
    this.dispose();
    this.narrowed = selected;
    this.images = staying.map((place) => images[place]);
    this.plan = { ...this.plan, decoder: selected, prompts: staying.map((at) => prompts[at]), padding: staying.map((at) => padding[at]) };
    return staying;
  }

  /** Disposes what it made; the first plan's decoder stays its owner's. */
  dispose(): void {
    this.narrowed?.dispose();
    this.narrowed = undefined;
  }
}
