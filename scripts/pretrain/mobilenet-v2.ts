// Trains the small MobileNetV2 (width 0.35, pictures of 160×160) to answer the questions of scene-labels.ts about generated scenes, and
// writes weights/mobilenet_v2-scenes. Resumable: run it again after a cut and it goes on.
//   npx tsx scripts/pretrain/mobilenet-v2.ts [--scenes 12000] [--epochs 10]
import { parseArgs } from 'node:util';
import { binaryCrossEntropy, Random, tf, type Tensor, type Tensor4D } from '../../lib/engine';
import { ImageProcessor, NORMALIZATION } from '../../lib/images';
import { MobileNetV2, saveMobileNetV2 } from '../../lib/models';
import { inProject } from '../../lib/project';
import { cosineWithWarmup, train } from '../../lib/training';
import { labelsOf, SCENE_LABELS } from './scene-labels';
import { drawScenes, type ScenePictures } from './scene-pictures';

const { values } = parseArgs({ options: { scenes: { type: 'string', default: '12000' }, epochs: { type: 'string', default: '10' } } });
const settings = { scenes: Number(values.scenes), epochs: Number(values.epochs), batchSize: 64, learningRate: 2e-3, seed: 1, size: 160, widthMultiplier: 0.35 };
const processor = new ImageProcessor({ size: { height: settings.size, width: settings.size }, ...NORMALIZATION.half });

/** Prepared pictures; flipped at random when a generator is given (no label depends on left and right). */
function pictures(set: ScenePictures, indices: ArrayLike<number>, random?: Random): Tensor4D {
  const { size } = set;
  const data = new Float32Array(indices.length * size * size * 3);
  for (let i = 0; i < indices.length; i++) {
    const offset = i * size * size * 3;
    processor.normalize({ data: set.pixels[indices[i]], width: size, height: size }, data, offset);
    if (!random) continue;
    const gain = 0.85 + 0.3 * random.uniform(), lift = 0.2 * (random.uniform() - 0.5);
    for (let j = offset; j < offset + size * size * 3; j++) data[j] = data[j] * gain + lift;
  }
  const tensor = tf.tensor4d(data, [indices.length, size, size, 3]);
  if (!random || random.uniform() < 0.5) return tensor;
  const flipped = tf.reverse(tensor, 2);
  tensor.dispose();
  return flipped;
}

const targets = (set: ScenePictures, indices: ArrayLike<number>): Tensor =>
  tf.tensor2d(Array.from(indices, (i) => Array.from(labelsOf(set.scenes[i]))));

/** F1 over all answers of a group of labels at threshold 0.5. */
function evaluate(model: MobileNetV2, set: ScenePictures): Record<string, number> {
  const groups = { kinds: [0, 24], colouredKinds: [24, 264], all: [0, SCENE_LABELS.length] } as const;
  const counts = Object.fromEntries(Object.keys(groups).map((name) => [name, { hit: 0, said: 0, true: 0 }]));
  let loss = 0;
  for (let from = 0; from < set.scenes.length; from += 50) {
    const indices = Array.from({ length: 50 }, (_, i) => from + i);
    const [logits, target, value] = tf.tidy(() => {
      const logits = model.forward(pictures(set, indices)), target = targets(set, indices);
      return [logits, target, binaryCrossEntropy(logits, target)];
    });
    loss += value.dataSync()[0] * 50 / set.scenes.length;
    const said = logits.dataSync(), truth = target.dataSync();
    for (const [name, [begin, end]] of Object.entries(groups)) {
      for (let i = 0; i < said.length; i++) {
        const label = i % SCENE_LABELS.length;
        if (label < begin || label >= end) continue;
        counts[name].said += Number(said[i] > 0);
        counts[name].true += truth[i];
        counts[name].hit += Number(said[i] > 0) * truth[i];
      }
    }
    tf.dispose([logits, target, value]);
  }
  return { loss, ...Object.fromEntries(Object.entries(counts).map(([name, c]) => [`f1 ${name}`, (2 * c.hit) / (c.said + c.true)])) };
}

async function main(): Promise<void> {
  const report = (what: string, every: number) => (done: number) => { if (done % every === 0) console.log(`${what}: ${done}`); };
  const data = await drawScenes('train', settings.scenes, processor, report('drawn', 2000));
  const check = await drawScenes('check', 500, processor, () => {});
  const random = new Random(settings.seed);
  const model = new MobileNetV2({ widthMultiplier: settings.widthMultiplier, numClasses: SCENE_LABELS.length, tfPadding: true, batchNormEpsilon: 1e-3 }, random);
  console.log(`${model.parameterCount()} parameters, ${SCENE_LABELS.length} labels`);
  const stepsPerEpoch = Math.floor(settings.scenes / settings.batchSize);
  const result = await train<{ x: Tensor4D; y: Tensor }>({
    model,
    epochs: settings.epochs,
    optimizer: { learningRate: settings.learningRate },
    schedule: cosineWithWarmup(200),
    random,
    folder: inProject('runs', 'pretrain-mobilenet_v2-scenes'),
    config: settings,
    checkpointSteps: 100,
    batches: {
      stepsPerEpoch,
      order: (epoch) => new Random(settings.seed * 1000 + epoch).shuffle(Uint32Array.from({ length: settings.scenes }, (_, i) => i)),
      batch: (order, index) => {
        const indices = order.subarray(index * settings.batchSize, (index + 1) * settings.batchSize);
        return { x: pictures(data, indices, new Random(order[0] * 131 + index)), y: targets(data, indices) };
      },
    },
    // The mean over hundreds of rare labels is small; the sum over labels gives Adam a gradient of ordinary size.
    loss: ({ x, y }) => tf.tidy(() => tf.mul(binaryCrossEntropy(model.forward(x), y), SCENE_LABELS.length)),
    validate: () => evaluate(model, check),
    best: { metric: 'loss', mode: 'min' },
    onStep: ({ step, steps, loss }) => { if (step % 50 === 0) console.log(`step ${step}/${steps} loss ${loss.toFixed(3)}`); },
    onEpoch: ({ epoch, trainLoss, metrics, seconds }) => console.log(`epoch ${epoch}: train ${trainLoss.toFixed(3)}`, metrics, `${seconds.toFixed(0)} s`),
  });
  const folder = inProject('weights', 'mobilenet_v2-scenes');
  saveMobileNetV2(model, folder, { labels: SCENE_LABELS, half: true });
  processor.save(folder, 'MobileNetV2ImageProcessor');
  console.log(`best epoch ${result.bestEpoch}, ${result.seconds.toFixed(0)} s; saved ${folder}`);
}

void main();
