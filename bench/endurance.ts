/**
 * Whether memory stays flat over a long run: steps of training of a captioner, then captions one by one, greedy and by beams, of as many
 * lengths as come. Prints tensors and resident memory on the way; ends with exit code 1 if tensors grow, or memory after the first fifth
 * by more than 5 %.
 *
 *   npx tsx bench/endurance.ts [--steps 1000] [--captions 1000]
 */
import { parseArgs } from 'node:util';
import { TransformerDecoder, transformerDecoderDefaults, type CaptionBatch } from '../lib/captioners';
import { Random, tensorCount, tf, yieldToEventLoop, type Tensor2D } from '../lib/engine';
import { generate } from '../lib/generation';
import { train } from '../lib/training';

const { values } = parseArgs({ options: { steps: { type: 'string', default: '1000' }, captions: { type: 'string', default: '1000' } } });
const steps = Number(values.steps), captions = Number(values.captions);

const random = new Random(1), layers = { hiddenSize: 64, numLayers: 2, numHeads: 4, feedForwardSize: 128 };
const sizes = { ...layers, vocabSize: 200, featureSize: 64, maxPositions: 24 };
const decoder = new TransformerDecoder({ ...transformerDecoderDefaults, ...sizes }, random);

/** Captions of 5 to 20 words. */
function batchOf(index: number): CaptionBatch {
  const length = 5 + (index % 16), ids = Int32Array.from({ length: 8 * length }, (_, i) => 1 + ((i * 7 + index) % 199));
  const shape: [number, number] = [8, length];
  const words = (): Tensor2D => tf.tensor2d(ids, shape, 'int32');
  return { features: tf.fill([8, 16, 64], (index % 10) / 10), inputIds: words(), labels: words() };
}

/** Runs `total` times what `work` does, and says whether tensors and memory stayed. */
class Watch {
  private readonly marks: { tensors: number; bytes: number }[] = [];
  constructor(private readonly what: string, private readonly total: number) {}

  after(done: number): void {
    if (done % Math.ceil(this.total / 10) !== 0) return;
    globalThis.gc?.();
    const mark = { tensors: tensorCount(), bytes: process.memoryUsage.rss() };
    this.marks.push(mark);
    console.log(`${this.what} ${done}/${this.total}: ${mark.tensors} tensors, ${(mark.bytes / 2 ** 20).toFixed(0)} MiB`);
  }

  isFlat(): boolean {
    const [early, last] = [this.marks[1], this.marks.at(-1)!];
    const flat = last.tensors <= early.tensors && last.bytes <= 1.05 * early.bytes;
    console.log(`${this.what}: ${flat ? 'flat' : 'GROWS'}, ${((last.bytes / early.bytes - 1) * 100).toFixed(1)} % since the first fifth`);
    return flat;
  }
}

async function main(): Promise<void> {
  const training = new Watch('step', steps);
  await train<CaptionBatch>({
    model: decoder, random, loss: (batch) => decoder.loss(batch), epochs: 1, optimizer: { learningRate: 1e-4 }, maxGradNorm: 1,
    batches: { stepsPerEpoch: steps, order: () => new Uint32Array(steps), batch: (_, index) => batchOf(index) },
    onStep: ({ step }) => training.after(step),
  });
  const captioning = new Watch('caption', captions);
  for (let i = 1; i <= captions; i++) {
    const features = tf.fill([1, 16, 64], (i % 10) / 10), search = decoder.stepDecoder(features);
    generate(search, { promptIds: [[1]], eosTokenId: 2, padTokenId: 0 }, { maxLength: 5 + (i % 16), numBeams: 1 + (i % 3) });
    search.dispose();
    features.dispose();
    captioning.after(i);
    await yieldToEventLoop();
  }
  const flat = [training.isFlat(), captioning.isFlat()];
  decoder.dispose();
  if (flat.includes(false)) process.exitCode = 1;
}

void main();
