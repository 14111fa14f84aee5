/** Random numbers in JavaScript alone, for what needs no TensorFlow; lib/engine hands them on to the rest. */

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state that save and restore exactly. */
export class Random {
  private state: Uint32Array;

  constructor(seed: number) {
    this.state = Uint32Array.of(seed, 0x9e3779b9, 0x243f6a88, 1);
    for (let i = 0; i < 15; i++) this.uint32();
  }

  uint32(): number {
    const s = this.state;
    const result = (s[0] + s[1] + s[3]) >>> 0;
    s[3]++;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) >>> 0;
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + result;
    return result;
  }

  /** Uniform in [0, 1) with 32 bits. */
  uniform(): number { return this.uint32() / 0x1_0000_0000; }

  /** Uniform whole number in [0, n). */
  integer(n: number): number { return Math.floor(this.uniform() * n); }

  /** A seed pair for the tensor generators below. */
  seedPair(): [number, number] { return [this.uint32() | 0, this.uint32() | 0]; }

  /** Fisher-Yates, in place. */
  shuffle<T extends { [index: number]: unknown; length: number }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }

  /** The four state words, to continue the same sequence after a resume. */
  save(): number[] { return Array.from(this.state); }
  restore(state: readonly number[]): void {
    if (state.length !== 4) throw new Error(`A random state has 4 words, this one has ${state.length}: the checkpoint is damaged.`);
    this.state = Uint32Array.from(state);
  }
}

/**
 * A seed that depends on a seed and on names (a picture, a purpose), so that what is drawn for one does not depend on what was drawn
 * before: MurmurHash3's 32-bit mixing (A. Appleby) over the UTF-16 units of the parts.
 */
export function seedFor(seed: number, ...parts: readonly (string | number)[]): number {
  let hash = seed | 0;
  const add = (block: number): void => {
    let mixed = Math.imul(block, 0xcc9e2d51);
    mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash ^= mixed;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  };
  for (const part of parts) {
    const text = String(part);
    for (let i = 0; i < text.length; i++) add(text.charCodeAt(i));
    // The length ends a part: 'a', 'b' is not 'ab', ''.
    add(0x10000 + text.length);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
