// Trains a small network that captions, in the narrator's voice (not the annotators', which captioners learn from the data set), and writes
// weights/NAME-scenes. Its picture tower starts from the small ViT. Resumable: run it again after a cut and it goes on.
//   npx tsx scripts/pretrain/captioning.ts blip|smolvlm [--steps 1600]
import { parseArgs } from 'node:util';
import { Random, tf, type Scalar, type Tensor } from '../../lib/engine';
import { ImageProcessor, NORMALIZATION } from '../../lib/images';
import { scoreCaptions } from '../../lib/metrics';
import { inProject } from '../../lib/project';
import { narrate, Random as Words, type Scene } from '../scenes';
import { CAPTION_RECIPES } from './caption-recipes';
import { pretrain } from './pretrain';
import { ScenePictures } from './scene-pictures';
import { pictureTensor } from './vision-encoder';
import { TOWER } from './vision-recipes';

const EPOCHS = 6,
  PICTURES = 60000,
  CHECKED = 300,
  CAPTIONED = 100,
  BLOCK = 50;
const size = TOWER.imageSize;
const processor = new ImageProcessor({ size: { height: size, width: size }, ...NORMALIZATION.half });
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Every picture has new words in every epoch. */
const narration = (scene: Scene, take: number): string => narrate(scene, new Words(`${scene.seed}/narration/${take}`));

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { steps: { type: 'string' } } });
  const [kind] = positionals,
    recipe = CAPTION_RECIPES[kind];
  if (!recipe) throw new Error(`There is no recipe "${kind}": expected one of ${Object.keys(CAPTION_RECIPES).join(', ')}.`);
  const name = `${kind}-scenes`,
    folder = inProject('weights', name),
    { batchSize, learningRate, weightDecay } = recipe;
  const steps = Number(values.steps ?? recipe.steps);
  const random = new Random(1);
  const network = recipe.build(folder, random);
  const { model } = network;
  const data = await ScenePictures.open('train', PICTURES),
    check = await ScenePictures.open('check', CHECKED);
  console.log(`${name}: ${model.parameterCount()} parameters`);
  let now = 0;
  await pretrain<Record<string, Tensor>>({
    name,
    model,
    random,
    epochs: EPOCHS,
    learningRate,
    weightDecay,
    config: { steps, batchSize, pictures: PICTURES },
    batches: {
      stepsPerEpoch: Math.floor(steps / EPOCHS),
      order(epoch) {
        now = epoch;
        return new Random(5000 + epoch).shuffle(Uint32Array.from({ length: PICTURES }, (_, i) => i));
      },
      batch(order, index) {
        const indices = order.subarray(index * batchSize, (index + 1) * batchSize);
        const pixels = pictureTensor(data.pixels(indices), size, processor, { random: new Random(order[0] * 131 + index) });
        return network.inputs(
          pixels,
          Array.from(indices, (i) => narration(data.scenes[i], now)),
        );
      },
    },
    loss: (inputs) => tf.tidy(() => network.loss(inputs) as Scalar),
    validate() {
      let loss = 0;
      for (let from = 0; from < CHECKED; from += BLOCK) {
        const chosen = range(from, from + BLOCK);
        loss +=
          (tf.tidy(() => {
            const inputs = network.inputs(
              pictureTensor(check.pixels(chosen), size, processor),
              chosen.map((i) => narration(check.scenes[i], 0)),
            );
            return network.loss(inputs).dataSync()[0];
          }) *
            BLOCK) /
          CHECKED;
      }
      return { loss };
    },
  });
  network.save(folder, processor);
  console.log(`saved ${folder}`);
  const captions = range(0, CAPTIONED / BLOCK).flatMap((block) => {
    const pixels = pictureTensor(check.pixels(range(block * BLOCK, (block + 1) * BLOCK)), size, processor);
    try {
      return network.caption(pixels);
    } finally {
      pixels.dispose();
    }
  });
  const byId = <T>(make: (i: number) => T): Record<string, T> => Object.fromEntries(captions.map((_, i) => [String(i), make(i)]));
  const { corpus } = scoreCaptions(
    byId((i) => range(0, 5).map((take) => narration(check.scenes[i], take))),
    byId((i) => captions[i]),
  );
  const names = (word: (scene: Scene) => string) =>
    captions.filter((caption, i) => new RegExp(`\\b${word(check.scenes[i])}`).test(caption.toLowerCase())).length / captions.length;
  console.log(
    JSON.stringify({
      ...corpus,
      'names the first kind': names(({ entities }) => entities[0].kind),
      'and its colour': names(({ entities }) => entities[0].colour),
    }),
  );
  for (const i of range(0, 8)) console.log(`${narration(check.scenes[i], 0)}\n  ${captions[i]}`);
}

void main();
