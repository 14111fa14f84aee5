/** What a fuzzer's target is, and the cases made of its seeds. */
import { Random, seedFor } from '../../lib/random';
import { mutateFile } from './mutations';

/** Files by their place in a folder. */
export type Files = Readonly<Record<string, Buffer>>;

/** A reader of outside data. */
export interface FuzzTarget {
  readonly name: string;
  /** Whole inputs, which `read` accepts. */
  readonly seeds: () => readonly Files[] | Promise<readonly Files[]>;
  /** Reads what lies in the folder, and throws a Wrong where what it got cannot be. */
  readonly read: (folder: string) => unknown;
  /** In place of the change by file name. */
  readonly mutate?: (name: string, bytes: Buffer, random: Random) => Buffer;
}

/** A result that a reader must not give. */
export class Wrong extends Error { override name = 'Wrong'; }

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Wrong(what);
}

/**
 * The files of one case, which target, seed and number alone decide. The first cases are the seeds as they are; in all others one
 * file, rarely two, is damaged, or missing.
 */
export function caseFiles(target: FuzzTarget, seeds: readonly Files[], seed: number, index: number): Files {
  if (index < seeds.length) return seeds[index];
  const random = new Random(seedFor(seed, target.name, index));
  const files: Record<string, Buffer> = { ...seeds[random.integer(seeds.length)] };
  for (let times = random.integer(8) ? 1 : 2; times > 0; times--) {
    const names = Object.keys(files), name = names[random.integer(names.length)];
    if (names.length > 1 && random.integer(40) === 0) delete files[name];
    else files[name] = (target.mutate ?? mutateFile)(name, files[name], random);
  }
  return files;
}
