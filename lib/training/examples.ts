import { Random } from '../engine';

/** Lengths are rounded up to multiples of this, so that few shapes come up: a graph is made of each (`GraphFunction`). */
const PAD_TO_MULTIPLE_OF = 4;

export interface ExamplesOptions {
  batchSize: number;
  /** 'all' captions of every picture in each epoch (default), or 'one', drawn anew every epoch: shorter epochs over the same pictures. */
  captionsPerEpoch?: 'all' | 'one';
  /** Shuffles every epoch by this and the epoch's number; without it the order stays. */
  seed?: number;
}

/** What a batch source goes through: examples in groups (the captions of a picture), which of them an epoch uses, and in what order. */
export class Examples<E extends { ids: readonly number[] }> {
  private readonly longest: number;
  private readonly all: readonly E[];
  private readonly groups: readonly { first: number; count: number }[];

  constructor(groups: readonly (readonly E[])[], private readonly options: ExamplesOptions) {
    this.all = groups.flat();
    this.longest = this.all.reduce((most, { ids }) => Math.max(most, ids.length), 0);
    let first = 0;
    this.groups = groups.filter((group) => group.length > 0).map(({ length: count }) => ({ first: (first += count) - count, count }));
  }

  get isEmpty(): boolean { return this.all.length === 0; }

  get stepsPerEpoch(): number {
    return Math.ceil((this.options.captionsPerEpoch === 'one' ? this.groups : this.all).length / this.options.batchSize);
  }

  /** The examples of an epoch in order: the same for the same seed and epoch, whatever was drawn before. */
  order(epoch: number): Uint32Array {
    const { seed, captionsPerEpoch } = this.options;
    const random = seed === undefined ? undefined : new Random(seed * 1_000_003 + epoch);
    const order = captionsPerEpoch === 'one'
      ? Uint32Array.from(this.groups, ({ first, count }) => first + (random ? random.integer(count) : epoch % count))
      : Uint32Array.from(this.all.keys());
    return random ? random.shuffle(order) : order;
  }

  /** Those of batch `index` of an epoch with the given order; the last batch may be smaller. */
  batch(order: Uint32Array, index: number): E[] {
    const { batchSize } = this.options;
    return Array.from(order.subarray(index * batchSize, (index + 1) * batchSize), (i) => this.all[i]);
  }

  /** What a batch of examples is padded to: their longest, rounded up, but not above the longest of all. */
  paddedLength(examples: readonly E[]): number {
    const most = Math.max(...examples.map(({ ids }) => ids.length));
    return Math.min(Math.ceil(most / PAD_TO_MULTIPLE_OF) * PAD_TO_MULTIPLE_OF, this.longest);
  }
}
