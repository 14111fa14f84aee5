// Trains any vision network on generated scenes, from nothing: attributes of what stands at each cell of its feature map (kind, colour,
// texture, size), so that features say what is where, and yes/no questions about the whole picture, which become its classifier.
import {
  binaryCrossEntropy,
  crossEntropy,
  Random,
  tf,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from '../../lib/engine';
import type { ImageProcessor } from '../../lib/images';
import { Linear, Module } from '../../lib/nn';
import { CANVAS, type Scene } from '../scenes';
import { pretrain } from './pretrain';
import { CELL_CLASSES, type CellAttribute, cellLabels, IGNORED, pictureLabels, type Window } from './scene-labels';
import { ScenePictures } from './scene-pictures';

/** A network as the trainer sees it: its features and its classifier's answers. */
export interface VisionNetwork {
  readonly network: Module;
  /** Values a cell of the feature map. */
  readonly features: number;
  /** Cells along each side of the feature map. */
  readonly grid: number;
  /** Pixels along each edge that no cell stands over, for networks that do not pad; default 0. */
  readonly margin?: number;
  /** Normalised pixels (B, size, size, 3) → cells (B·grid², features), rows first, and logits (B, picture labels) */
  forward(pixels: Tensor4D): { cells: Tensor; logits: Tensor };
}

export interface VisionRun {
  name: string;
  processor: ImageProcessor;
  /** Pictures are stretched to this side. */
  size: number;
  pictures: number;
  steps: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  /**
   * The first epochs of a convolutional network see parts of pictures, `size` pixels and `grid` cells a side, around a thing: most of the
   * ground says nothing, and a step takes a third of the time.
   */
  crops?: { epochs: number; size: number; grid: number; batchSize: number };
}

const ATTRIBUTES = Object.keys(CELL_CLASSES) as CellAttribute[];
const NOTHING = CELL_CLASSES.kind - 1;
const CHECKED = 500,
  EPOCHS = 8;

/** `picture` is absent where only a part of it is seen. */
interface VisionBatch {
  x: Tensor4D;
  cells: Tensor1D[];
  things: Tensor1D;
  picture?: Tensor;
}

/** The network with one linear classifier an attribute on its feature map; only the network is kept. */
class CellClassifier extends Module {
  readonly network: Module;
  readonly heads: Linear[];

  constructor(
    private readonly vision: VisionNetwork,
    random: Random,
  ) {
    super();
    this.network = vision.network;
    this.heads = ATTRIBUTES.map((attribute) => new Linear(vision.features, CELL_CLASSES[attribute], random));
  }

  forward(x: Tensor4D): { cells: Tensor[]; logits: Tensor } {
    const { cells, logits } = this.vision.forward(x);
    return { cells: this.heads.map((head) => head.forward(cells)), logits };
  }

  loss({ x, cells, things, picture }: VisionBatch): Scalar {
    return tf.tidy(() => {
      const output = this.forward(x);
      const losses: Tensor[] = output.cells.map((logits, i) => crossEntropy(logits as Tensor2D, cells[i]));
      // Most cells show nothing. Counted once more alone, the kinds of things, which are hardest to learn, are not drowned.
      losses.push(crossEntropy(output.cells[ATTRIBUTES.indexOf('kind')] as Tensor2D, things));
      // The mean over a hundred rare labels is small; scaled it weighs as much as one attribute.
      if (picture) losses.push(tf.mul(binaryCrossEntropy(output.logits, picture), 20));
      return tf.addN(losses) as Scalar;
    });
  }
}

/**
 * Bytes (B, CANVAS, CANVAS, 3), or a window of each, stretched to `size` as the processor normalises them; with a generator, brightness and
 * contrast vary.
 */
export function pictureTensor(
  bytes: Uint8Array,
  size: number,
  processor: ImageProcessor,
  { random, windows }: { random?: Random; windows?: Window[] } = {},
): Tensor4D {
  const count = bytes.length / (CANVAS * CANVAS * 3);
  const { imageMean, imageStd } = processor.config;
  const gains = new Float32Array(count * 3),
    lifts = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const gain = random ? 0.85 + 0.3 * random.uniform() : 1,
      lift = random ? 0.1 * (random.uniform() - 0.5) : 0;
    for (let c = 0; c < 3; c++) {
      gains[i * 3 + c] = gain / 255 / imageStd[c];
      lifts[i * 3 + c] = (lift + 0.5 * (1 - gain) - imageMean[c]) / imageStd[c];
    }
  }
  return tf.tidy(() => {
    let x = tf.tensor4d(Float32Array.from(bytes), [count, CANVAS, CANVAS, 3]);
    if (windows)
      x = tf.image.cropAndResize(
        x,
        tf.tensor2d(windows.map((window) => boxOf(window, size))),
        tf.range(0, count, 1, 'int32'),
        [size, size],
        'bilinear',
      );
    else if (size !== CANVAS) x = tf.image.resizeBilinear(x, [size, size], false, true);
    return tf.add(tf.mul(x, tf.tensor4d(gains, [count, 1, 1, 3])), tf.tensor4d(lifts, [count, 1, 1, 3]));
  });
}

/** cropAndResize's box for which it samples where resizeBilinear with half-pixel centres would. */
function boxOf([left, top, side]: Window, size: number): number[] {
  const scale = side / size,
    reach = (size - 1) * scale;
  const [y, x] = [top, left].map((edge) => edge + 0.5 * scale - 0.5);
  return [y, x, y + reach, x + reach].map((value) => value / (CANVAS - 1));
}

/** A window around one of the scene's things, inside the canvas. */
function windowOn({ objects }: Scene, side: number, random: Random): Window {
  const {
    box: [x, y, width, height],
  } = objects[random.integer(objects.length)];
  const place = (middle: number) => Math.min(Math.max(middle - side / 2 + 0.3 * side * (random.uniform() - 0.5), 0), CANVAS - side);
  return [place(x + width / 2), place(y + height / 2), side];
}

/** With a generator, brightness and contrast vary; with `crops`, parts of the pictures. */
function makeBatch(
  set: ScenePictures,
  indices: ArrayLike<number>,
  run: VisionRun,
  vision: VisionNetwork,
  random?: Random,
  crops?: VisionRun['crops'],
): VisionBatch {
  const scenes = Array.from(indices, (i) => set.scenes[i]);
  const { size, grid } = crops ?? { size: run.size, grid: vision.grid };
  const toCanvas = CANVAS / run.size,
    side = size * toCanvas,
    edge = (vision.margin ?? 0) * toCanvas;
  const windows = crops ? scenes.map((scene) => windowOn(scene, side, random!)) : undefined;
  const cells = grid ** 2;
  const labels = scenes.map((scene, i) => {
    const [left, top] = windows?.[i] ?? [0, 0];
    return cellLabels(scene, grid, [left + edge, top + edge, side - 2 * edge]);
  });
  const column = (attribute: CellAttribute): Int32Array => {
    const all = new Int32Array(scenes.length * cells);
    for (const [i, label] of labels.entries()) all.set(label[attribute], i * cells);
    return all;
  };
  return {
    x: pictureTensor(set.pixels(indices), size, run.processor, { random, windows }),
    cells: ATTRIBUTES.map((attribute) => tf.tensor1d(column(attribute), 'int32')),
    things: tf.tensor1d(
      column('kind').map((kind) => (kind === NOTHING ? IGNORED : kind)),
      'int32',
    ),
    ...(crops ? {} : { picture: tf.tensor2d(scenes.map((scene) => Array.from(pictureLabels(scene)))) }),
  };
}

/** Accuracy of each attribute where there is a thing (kind: everywhere and on things), F1 of the picture's labels at 0.5. */
function evaluate(model: CellClassifier, set: ScenePictures, run: VisionRun, vision: VisionNetwork): Record<string, number> {
  const right: Record<string, number> = {},
    seen: Record<string, number> = {};
  const count = (name: string, ok: boolean) => {
    right[name] = (right[name] ?? 0) + Number(ok);
    seen[name] = (seen[name] ?? 0) + 1;
  };
  let loss = 0,
    hit = 0,
    said = 0,
    truth = 0;
  for (let from = 0; from < CHECKED; from += 50) {
    const batch = makeBatch(
      set,
      Array.from({ length: 50 }, (_, i) => from + i),
      run,
      vision,
    );
    const value = model.loss(batch);
    loss += (value.dataSync()[0] * 50) / CHECKED;
    const outputs = tf.tidy(() => {
      const { cells, logits } = model.forward(batch.x);
      return [...cells.map((scores) => tf.argMax(scores, 1)), logits];
    });
    for (const [i, attribute] of ATTRIBUTES.entries()) {
      const guesses = outputs[i].dataSync(),
        labels = batch.cells[i].dataSync();
      labels.forEach((label, j) => {
        if (label === IGNORED) return;
        count(attribute, guesses[j] === label);
        if (attribute === 'kind' && label !== NOTHING) count('kind of things', guesses[j] === label);
      });
    }
    const targets = batch.picture!.dataSync();
    outputs[outputs.length - 1].dataSync().forEach((logit, j) => {
      said += Number(logit > 0);
      truth += targets[j];
      hit += Number(logit > 0) * targets[j];
    });
    tf.dispose([value, ...outputs, batch.x, batch.things, batch.picture!, ...batch.cells]);
  }
  return {
    loss,
    ...Object.fromEntries(Object.keys(seen).map((name) => [name, right[name] / seen[name]])),
    'f1 of picture labels': (2 * hit) / (said + truth),
  };
}

/** Trains, or goes on where a former run was cut; the network holds the best weights afterwards. */
export async function trainVision(run: VisionRun, vision: VisionNetwork, random: Random): Promise<void> {
  const data = await ScenePictures.open('train', run.pictures, (done) => {
    if (done % 5000 === 0) console.log(`drawn: ${done}`);
  });
  const check = await ScenePictures.open('check', CHECKED);
  const model = new CellClassifier(vision, random);
  console.log(`${run.name}: ${vision.network.parameterCount()} parameters, feature map ${vision.grid}×${vision.grid}×${vision.features}`);
  const { processor: _, name, ...config } = run;
  let epoch = 0;
  await pretrain<VisionBatch>({
    name,
    model,
    random,
    config,
    epochs: EPOCHS,
    learningRate: run.learningRate,
    weightDecay: run.weightDecay,
    batches: {
      stepsPerEpoch: Math.floor(run.steps / EPOCHS),
      order(now) {
        epoch = now;
        return new Random(1000 + now).shuffle(Uint32Array.from({ length: run.pictures }, (_, i) => i));
      },
      batch(order, index) {
        const crops = run.crops && epoch < run.crops.epochs ? run.crops : undefined;
        const size = crops?.batchSize ?? run.batchSize;
        const chosen = Array.from({ length: size }, (_, i) => order[(index * size + i) % order.length]);
        return makeBatch(data, chosen, run, vision, new Random(order[0] * 131 + index), crops);
      },
    },
    loss: (batch) => model.loss(batch),
    validate: () => evaluate(model, check, run, vision),
  });
}
