// Trains the small MobileNetV2 (width 0.35, pictures of 160×160) on generated scenes: what stands at each cell of its 5×5 feature map
// (kind, colour, texture, size), and yes/no questions about the whole picture, which become the checkpoint's classifier. Writes
// weights/mobilenet_v2-scenes. Resumable: run it again after a cut and it goes on.
//   npx tsx scripts/pretrain/mobilenet-v2.ts [--scenes 12000] [--epochs 8]
import { parseArgs } from 'node:util';
import { binaryCrossEntropy, crossEntropy, Random, tf, type Scalar, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../../lib/engine';
import { ImageProcessor, NORMALIZATION } from '../../lib/images';
import { MobileNetV2, saveMobileNetV2 } from '../../lib/models';
import { Linear, Module } from '../../lib/nn';
import { inProject } from '../../lib/project';
import { cosineWithWarmup, train } from '../../lib/training';
import { CELL_CLASSES, type CellAttribute, cellLabels, PICTURE_LABELS, pictureLabels } from './scene-labels';
import { drawScenes, type ScenePictures } from './scene-pictures';

const { values } = parseArgs({ options: { scenes: { type: 'string', default: '12000' }, epochs: { type: 'string', default: '8' } } });
const settings = { scenes: Number(values.scenes), epochs: Number(values.epochs), batchSize: 48, learningRate: 2e-3, seed: 1, size: 160, widthMultiplier: 0.35 };
const GRID = settings.size / 32;
const ATTRIBUTES = Object.keys(CELL_CLASSES) as CellAttribute[];
const processor = new ImageProcessor({ size: { height: settings.size, width: settings.size }, ...NORMALIZATION.half });

/** The network with one linear classifier an attribute on its feature map; only the network is kept. */
class CellClassifier extends Module {
  readonly heads: Linear[];
  constructor(readonly network: MobileNetV2, random: Random) {
    super();
    this.heads = ATTRIBUTES.map((attribute) => new Linear(network.featureSize, CELL_CLASSES[attribute], random));
  }

  forward(x: Tensor4D): { cells: Tensor[]; picture: Tensor } {
    const map = this.network.featureMap(x);
    const rows = tf.reshape(map, [-1, this.network.featureSize]);
    return { cells: this.heads.map((head) => head.forward(rows)), picture: this.network.classifier.forward(tf.mean(map, [1, 2])) };
  }

  loss({ x, cells, picture }: Batch): Scalar {
    return tf.tidy(() => {
      const output = this.forward(x);
      const losses: Tensor[] = output.cells.map((logits, i) => crossEntropy(logits as Tensor2D, cells[i]));
      // The mean over a hundred rare labels is small; scaled it weighs as much as one attribute.
      return tf.addN([...losses, tf.mul(binaryCrossEntropy(output.picture, picture), 20)]) as Scalar;
    });
  }
}

interface Batch { x: Tensor4D; cells: Tensor1D[]; picture: Tensor }

/** With a generator, brightness and contrast vary. */
function makeBatch(set: ScenePictures, indices: ArrayLike<number>, random?: Random): Batch {
  const { size } = set, pixels = size * size * 3;
  const data = new Float32Array(indices.length * pixels);
  for (let i = 0; i < indices.length; i++) {
    processor.normalize({ data: set.pixels[indices[i]], width: size, height: size }, data, i * pixels);
    if (!random) continue;
    const gain = 0.85 + 0.3 * random.uniform(), lift = 0.2 * (random.uniform() - 0.5);
    for (let j = i * pixels; j < (i + 1) * pixels; j++) data[j] = data[j] * gain + lift;
  }
  const scenes = Array.from(indices, (i) => set.scenes[i]);
  const labels = scenes.map((scene) => cellLabels(scene, GRID));
  return {
    x: tf.tensor4d(data, [indices.length, size, size, 3]),
    cells: ATTRIBUTES.map((attribute) => tf.tensor1d(Int32Array.from(labels.flatMap((label) => Array.from(label[attribute]))), 'int32')),
    picture: tf.tensor2d(scenes.map((scene) => Array.from(pictureLabels(scene)))),
  };
}

/** Accuracy of each attribute where there is a thing (kind: everywhere and on things), F1 of the picture's labels at 0.5. */
function evaluate(model: CellClassifier, set: ScenePictures): Record<string, number> {
  const right: Record<string, number> = {}, seen: Record<string, number> = {};
  const count = (name: string, ok: boolean) => { right[name] = (right[name] ?? 0) + Number(ok); seen[name] = (seen[name] ?? 0) + 1; };
  let loss = 0, hit = 0, said = 0, truth = 0;
  for (let from = 0; from < set.scenes.length; from += 50) {
    const batch = makeBatch(set, Array.from({ length: 50 }, (_, i) => from + i));
    const value = model.loss(batch);
    loss += (value.dataSync()[0] * 50) / set.scenes.length;
    const outputs = tf.tidy(() => {
      const { cells, picture } = model.forward(batch.x);
      return [...cells.map((logits) => tf.argMax(logits, 1)), picture];
    });
    for (const [i, attribute] of ATTRIBUTES.entries()) {
      const guesses = outputs[i].dataSync(), labels = batch.cells[i].dataSync();
      labels.forEach((label, j) => {
        if (label < 0) return;
        count(attribute, guesses[j] === label);
        if (attribute === 'kind' && label < CELL_CLASSES.kind - 1) count('kind of things', guesses[j] === label);
      });
    }
    const targets = batch.picture.dataSync();
    outputs[outputs.length - 1].dataSync().forEach((logit, j) => { said += Number(logit > 0); truth += targets[j]; hit += Number(logit > 0) * targets[j]; });
    tf.dispose([value, ...outputs, batch.x, batch.picture, ...batch.cells]);
  }
  return { loss, ...Object.fromEntries(Object.keys(seen).map((name) => [name, right[name] / seen[name]])), 'f1 of picture labels': (2 * hit) / (said + truth) };
}

async function main(): Promise<void> {
  const report = (done: number) => { if (done % 2000 === 0) console.log(`drawn: ${done}`); };
  const data = await drawScenes('train', settings.scenes, processor, report);
  const check = await drawScenes('check', 500, processor, () => {});
  const random = new Random(settings.seed);
  const network = new MobileNetV2({ widthMultiplier: settings.widthMultiplier, numClasses: PICTURE_LABELS.length, tfPadding: true, batchNormEpsilon: 1e-3 }, random);
  const model = new CellClassifier(network, random);
  console.log(`${network.parameterCount()} parameters, ${PICTURE_LABELS.length} picture labels`);
  const result = await train<Batch>({
    model,
    epochs: settings.epochs,
    optimizer: { learningRate: settings.learningRate },
    schedule: cosineWithWarmup(100),
    random,
    folder: inProject('runs', 'pretrain-mobilenet_v2-scenes'),
    config: settings,
    checkpointSteps: 100,
    batches: {
      stepsPerEpoch: Math.floor(settings.scenes / settings.batchSize),
      order: (epoch) => new Random(settings.seed * 1000 + epoch).shuffle(Uint32Array.from({ length: settings.scenes }, (_, i) => i)),
      batch: (order, index) => makeBatch(data, order.subarray(index * settings.batchSize, (index + 1) * settings.batchSize), new Random(order[0] * 131 + index)),
    },
    loss: (batch) => model.loss(batch),
    validate: () => evaluate(model, check),
    best: { metric: 'loss', mode: 'min' },
    onStep: ({ step, steps, loss }) => { if (step % 50 === 0) console.log(`step ${step}/${steps} loss ${loss.toFixed(3)}`); },
    onEpoch: ({ epoch, trainLoss, metrics, seconds }) => console.log(`epoch ${epoch}: train ${trainLoss.toFixed(3)} ${JSON.stringify(metrics)} ${seconds.toFixed(0)} s`),
  });
  const folder = inProject('weights', 'mobilenet_v2-scenes');
  saveMobileNetV2(network, folder, { labels: PICTURE_LABELS, half: true });
  processor.save(folder, 'MobileNetV2ImageProcessor');
  console.log(`best epoch ${result.bestEpoch}, ${result.seconds.toFixed(0)} s; saved ${folder}`);
}

void main();
