/** A captioner that needs no network: what it says depends on the pixels, and on what shares the batch, as rounding does in real ones. */
import { createHash } from 'node:crypto';
import type { Caption, CaptionOptions, Captioner } from '../../lib/captioners';
import type { ImageSource, RgbImage } from '../../lib/images';

const WORDS = ['a', 'dog', 'cat', 'runs, "fast"', 'sits', 'on\nthe', 'grass', 'street'];

export class FakeCaptioner implements Captioner {
  /** Sizes of the batches so far. */
  readonly batches: number[] = [];
  /** Pixels of the pictures so far. */
  readonly seen: RgbImage[] = [];
  disposed = 0;
  readonly networks = [];

  /** @param wait milliseconds a batch takes */
  constructor(readonly name: string, readonly wait = 0) {}

  async caption(images: readonly ImageSource[], { batchSize }: CaptionOptions = {}): Promise<Caption[]> {
    if (batchSize !== images.length) throw new Error(`asked for batches of ${batchSize} with ${images.length} pictures`);
    this.batches.push(images.length);
    if (this.wait) await new Promise((resolve) => setTimeout(resolve, this.wait));
    const all = createHash('sha256');
    for (const image of images) all.update((image as RgbImage).data);
    const batch = all.digest();
    return images.map((image) => {
      this.seen.push(image as RgbImage);
      const digest = createHash('sha256').update(this.name).update(batch).update((image as RgbImage).data).digest();
      const text = [...digest.subarray(0, 5)].map((byte) => WORDS[byte % WORDS.length]).join(' ');
      return { text, tokens: [], words: [], logProbability: 0, score: 0 };
    });
  }

  save(): void { throw new Error('nothing to save'); }

  dispose(): void { this.disposed++; }
}
