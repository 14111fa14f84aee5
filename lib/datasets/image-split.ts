/** Train, validation and test parts by picture, so that nothing said of one picture is learnt in one part and scored in another. */
import { createHash } from 'node:crypto';
import { SPLITS, type Split } from './caption-dataset';

export interface ImageSplitOptions {
  /** Another seed makes another split. Default 42. */
  readonly seed?: number;
  /** Default: report 000's 70, 10 and 20 %. */
  readonly shares?: Readonly<Record<Split, number>>;
}

/**
 * The part that a picture belongs to. It depends on the picture's name and the seed alone: rows added later, in any order, move
 * nothing. The shares hold as far as chance has it, as with any drawing of lots.
 */
export function splitOfImage(image: string, options: ImageSplitOptions = {}): Split {
  const { seed = 42, shares = { train: 0.7, val: 0.1, test: 0.2 } } = options;
  const total = SPLITS.reduce((sum, split) => sum + shares[split], 0);
  if (!(total > 0) || SPLITS.some((split) => !(shares[split] >= 0))) {
    const given = SPLITS.map((split) => `${split} ${shares[split]}`).join(', ');
    throw new Error(`The shares are ${given}: expected numbers from 0 on, not all 0.`);
  }
  // 48 bits of a hash of seed and name, as a number in [0, total).
  const lot = createHash('sha256').update(`${seed}\0${image}`).digest().readUIntBE(0, 6) / 2 ** 48 * total;
  if (lot < shares.train) return 'train';
  return lot < shares.train + shares.val ? 'val' : 'test';
}

/**
 * Rows by part, in their order. `imageOf` names a row's picture.
 *
 * @throws Error when a part that has a share gets no row: there are too few pictures then
 */
export function splitByImage<R>(rows: readonly R[], imageOf: (row: R) => string, options: ImageSplitOptions = {}): Record<Split, R[]> {
  const parts: Record<Split, R[]> = { train: [], val: [], test: [] };
  const chosen = new Map<string, Split>();
  for (const row of rows) {
    const image = imageOf(row);
    let split = chosen.get(image);
    if (!split) chosen.set(image, split = splitOfImage(image, options));
    parts[split].push(row);
  }
  const empty = SPLITS.find((split) => parts[split].length === 0 && options.shares?.[split] !== 0);
  if (empty) {
    throw new Error(`No picture of ${chosen.size} falls into the ${empty} part: take more pictures, a larger share, or another seed.`);
  }
  checkImagesDisjoint(parts, imageOf);
  return parts;
}

/** @throws Error naming the first picture that more than one part has rows of */
export function checkImagesDisjoint<R>(parts: Readonly<Record<string, readonly R[]>>, imageOf: (row: R) => string): void {
  const owners = new Map<string, string>();
  for (const [part, rows] of Object.entries(parts)) {
    for (const row of rows) {
      const image = imageOf(row), owner = owners.get(image);
      if (owner !== undefined && owner !== part) {
        throw new Error(`The picture ${image} is in both ${owner} and ${part}: scores on it would be flattered.`);
      }
      owners.set(image, part);
    }
  }
}
